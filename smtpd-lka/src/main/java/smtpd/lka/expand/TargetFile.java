package smtpd.lka.expand;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Text of a {@code .forward} or an included file: targets, comments, lines that go on with a
 * backslash.
 */
final class TargetFile {

    private static final int MAX_LINE = 2048;

    private TargetFile() {}

    /**
     * All targets in the order of the text.
     *
     * @throws BadValue with the line's number; one bad line makes the whole file unusable, since
     *     half a list of targets loses mail without a word
     */
    static List<Value> parse(byte[] content) throws BadValue {
        String text = decode(content);
        List<Value> values = new ArrayList<>();
        StringBuilder logical = new StringBuilder();
        int number = 0;
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            int stop = end < 0 ? text.length() : end;
            int cut = stop > start && text.charAt(stop - 1) == '\r' ? stop - 1 : stop;
            number++;
            String line = text.substring(start, cut);
            boolean goesOn = end >= 0 && isContinued(line);
            logical.append(line, 0, goesOn ? line.length() - 1 : line.length());
            if (logical.length() > MAX_LINE) {
                throw new BadValue("line " + number + ": more than " + MAX_LINE + " characters");
            }
            if (!goesOn) {
                add(logical, number, values);
            }
            start = stop + 1;
        }
        add(logical, number, values);
        return values;
    }

    private static void add(StringBuilder logical, int number, List<Value> values) throws BadValue {
        String line = logical.toString();
        logical.setLength(0);
        try {
            values.addAll(ValueParser.line(line));
        } catch (BadValue e) {
            throw new BadValue("line " + number + ": " + e.getMessage());
        }
    }

    /** An odd number of backslashes at the end: the last one is not itself escaped. */
    private static boolean isContinued(String line) {
        int count = 0;
        while (count < line.length() && line.charAt(line.length() - 1 - count) == '\\') {
            count++;
        }
        return count % 2 == 1;
    }

    private static String decode(byte[] content) throws BadValue {
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
            return text.startsWith("\ufeff") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new BadValue("not UTF-8");
        }
    }
}
