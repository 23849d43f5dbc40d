package smtpd.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataDecoderTest {

    private static final long LIMIT = 1 << 20;

    private record Result(DataDecoder decoder, String content, String rest, int crc) {}

    /** Decodes as DATA, the input cut at the given places. */
    private static Result data(String input, int... cuts) {
        return decode(true, input, cuts);
    }

    private static Result decode(boolean dotted, String input, int... cuts) {
        ContentBuffer buffer = new ContentBuffer();
        DataDecoder decoder = new DataDecoder(dotted, LIMIT, buffer::append);
        byte[] all = input.getBytes(ISO_8859_1);
        int from = 0;
        int next = 0;
        for (int piece = 0; piece <= cuts.length && !decoder.isEnded(); piece++) {
            int to = piece < cuts.length ? cuts[piece] : all.length;
            // A copy with other bytes around, so that a step outside the range shows.
            byte[] window = new byte[to - from + 8];
            java.util.Arrays.fill(window, (byte) '#');
            System.arraycopy(all, from, window, 4, to - from);
            next = from + decoder.decode(window, 4, 4 + to - from) - 4;
            assertThat(window).startsWith('#', '#', '#', '#').endsWith('#', '#', '#', '#');
            from = to;
        }
        if (!dotted) {
            decoder.finish();
            next = all.length;
        }
        String content = new String(buffer.array(), 0, buffer.length(), ISO_8859_1);
        return new Result(decoder, content, input.substring(next), buffer.crc32c());
    }

    @Test
    void dotsAreRemovedAndLinesEndInLf() {
        Result r = data("A: b\r\n\r\n..\r\n.a\r\n. \r\nx.\r\n.\r\nQUIT\r\n");
        assertThat(r.content()).isEqualTo("A: b\n\n.\na\n \nx.\n");
        assertThat(r.rest()).isEqualTo("QUIT\r\n");
        assertThat(r.decoder().lines()).isEqualTo(6);
        assertThat(r.decoder().octets()).isEqualTo(6 + 2 + 3 + 3 + 3 + 4);
        assertThat(r.decoder().stored()).isEqualTo(r.content().length());
        CRC32C crc = new CRC32C();
        crc.update(r.content().getBytes(ISO_8859_1));
        assertThat(r.crc()).isEqualTo((int) crc.getValue());
    }

    @Test
    void dotAtOnceIsAnEmptyMail() {
        Result r = data(".\r\n");
        assertThat(r.decoder().isEnded()).isTrue();
        assertThat(r.content()).isEmpty();
        assertThat(r.decoder().fault()).isEqualTo(DataDecoder.Fault.NONE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n.\n",
                "\n.\r\n",
                "\r\n.\n",
                "\r.\r",
                "\r\n.\r",
                "\r.\r\n",
                "\n.\r",
                "\r\n.\r\r\n",
                "\r\n.\0\r\n"
            })
    void smugglingFormEndsNothingAndSpoilsTheMail(String form) {
        String input = "A: b\r\n\r\na" + form + "MAIL FROM:<x@y>\r\n\r\n.\r\nRSET\r\n";
        for (int cut = 0; cut <= input.length(); cut++) {
            Result r = data(input, cut);
            assertThat(r.decoder().isEnded()).isTrue();
            assertThat(r.decoder().fault()).isNotEqualTo(DataDecoder.Fault.NONE);
            assertThat(r.rest()).isEqualTo("RSET\r\n");
        }
        int[] everywhere = new int[input.length()];
        for (int i = 0; i < everywhere.length; i++) {
            everywhere[i] = i + 1;
        }
        assertThat(data(input, everywhere).decoder().fault()).isNotEqualTo(DataDecoder.Fault.NONE);
        Result chunk = decode(false, "A: b\r\n\r\na" + form + "b\r\n");
        assertThat(chunk.decoder().fault()).isNotEqualTo(DataDecoder.Fault.NONE);
    }

    @Test
    void firstFaultDecides() {
        assertThat(data("\r\na\0\r\nb\n\r\n.\r\n").decoder().fault())
                .isEqualTo(DataDecoder.Fault.NUL);
        assertThat(data("\r\nb\nc\0\r\n.\r\n").decoder().fault())
                .isEqualTo(DataDecoder.Fault.BARE_CR_OR_LF);
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " -> ",
            value = {
                "A: b|c|. -> A: b||c|",
                "A: b|C : d| e|body|. -> A: b|C : d| e||body|",
                "body|. -> |body|",
                "' x|A: b|.' -> '| x|A: b|'",
                ": x|. -> |: x|",
                "A b: x|. -> |A b: x|",
                "A: b|||c|. -> A: b|||c|",
                "|. -> |",
                "A: b|. -> A: b|",
                "A: b|nocolon|. -> A: b||nocolon|",
                "..dot: x|. -> .dot: x|"
            })
    void bodyWithoutEmptyLineGetsOne(String in, String out) {
        String input = in.replace("|", "\r\n") + "\r\n";
        String expected = out.replace('|', '\n');
        for (int cut = 0; cut <= input.length(); cut++) {
            for (int second = cut; second <= input.length(); second += 3) {
                Result r = data(input, cut, second);
                assertThat(r.decoder().isEnded()).isTrue();
                assertThat(r.content()).as("cut %d %d", cut, second).isEqualTo(expected);
                assertThat(r.decoder().lines())
                        .isEqualTo(expected.chars().filter(c -> c == '\n').count());
                assertThat(r.decoder().stored()).isEqualTo(expected.length());
            }
        }
    }

    @Test
    void longestLineIsTaken() {
        String line = "x".repeat(DataDecoder.MAX_LINE - 2);
        assertThat(data("\r\n" + line + "\r\n.\r\n").decoder().fault())
                .isEqualTo(DataDecoder.Fault.NONE);
        assertThat(data("\r\n" + line + "x\r\n.\r\n").decoder().fault())
                .isEqualTo(DataDecoder.Fault.LONG_LINE);
        assertThat(data(line + "\r\n.\r\n").content()).hasSize(DataDecoder.MAX_LINE);
        assertThat(data(line + "\r\n.\r\n", 1000, 40_000).content()).hasSize(65_535);
    }

    @Test
    void sizeCountsWhatCameAndStopsWriting() {
        String body = "x".repeat(998) + "\r\n";
        String fits = "\r\n" + body.repeat((int) LIMIT / 1000) + "y".repeat(572) + "\r\n";
        assertThat(fits).hasSize((int) LIMIT);
        assertThat(data(fits + ".\r\n").decoder().isTooBig()).isFalse();
        assertThat(data("\r\n" + fits.substring(1, 3) + fits + ".\r\n").decoder().isTooBig())
                .isTrue();
        Result r = data(fits + body.repeat(100) + ".\r\n", 500_000, 900_000);
        assertThat(r.decoder().isEnded()).isTrue();
        assertThat(r.decoder().stored()).isLessThanOrEqualTo(LIMIT);
    }

    @Test
    void receivedFieldsAndHeaderLimitsAreCounted() {
        assertThat(data("Received: x\r\n".repeat(99) + "\r\nReceived: no\r\n.\r\n"))
                .satisfies(r -> assertThat(r.decoder().receivedFields()).isEqualTo(99));
        assertThat(data("rEceived : x\r\n y\r\n".repeat(100) + ".\r\n").decoder().receivedFields())
                .isEqualTo(100);
        assertThat(data("A: x\r\n".repeat(1000) + ".\r\n").decoder().isHeaderTooBig()).isFalse();
        assertThat(data("A: x\r\n".repeat(1001) + ".\r\n").decoder().isHeaderTooBig()).isTrue();
        String wide = "A: " + "x".repeat(60_000) + "\r\n";
        assertThat(data(wide.repeat(4) + "\r\n.\r\n").decoder().isHeaderTooBig()).isFalse();
        assertThat(data(wide.repeat(5) + "\r\n.\r\n").decoder().isHeaderTooBig()).isTrue();
    }

    @Test
    void valuesThatAreNeededAtOnceAreFound() {
        String input =
                "Message-ID:\r\n <a@b>\r\nTLS-Required: No\r\nSubject: gr\u00fcn\r\n\r\nx\r\n.\r\n";
        for (int cut = 0; cut < input.length(); cut++) {
            Result r = data(input, cut);
            assertThat(r.decoder().messageId()).isEqualTo("<a@b>");
            assertThat(r.decoder().saysTlsRequiredNo()).isTrue();
            assertThat(r.decoder().isEightBit()).isTrue();
            assertThat(r.decoder().isHeaderEightBit()).isTrue();
        }
        Result body = data("A: b\r\n\r\ngr\u00fcn\r\n.\r\n");
        assertThat(body.decoder().isEightBit()).isTrue();
        assertThat(body.decoder().isHeaderEightBit()).isFalse();
        assertThat(body.content()).isEqualTo("A: b\n\ngr\u00fcn\n");
        assertThat(data("A: b\r\n.\r\n").decoder().isEightBit()).isFalse();
    }

    @Test
    void lastLineOfChunksGetsAnEnd() {
        assertThat(decode(false, "A: b\r\n\r\n.\r\n..\r\nx").content())
                .isEqualTo("A: b\n\n.\n..\nx\n");
        assertThat(decode(false, "a").content()).isEqualTo("\na\n");
        assertThat(decode(false, "A").decoder().lines()).isEqualTo(2);
        assertThat(decode(false, "").content()).isEmpty();
        assertThat(decode(false, "A: b\r\n").content()).isEqualTo("A: b\n");
        assertThat(decode(false, "A: b\r").decoder().fault())
                .isEqualTo(DataDecoder.Fault.BARE_CR_OR_LF);
        assertThat(decode(false, "A: b\r\nc\r\n", 5).content()).isEqualTo("A: b\n\nc\n");
    }

    @Test
    void everyCutGivesTheSameAsAReaderThatSeesTheWhole() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String[] parts = {
            "\r\n",
            "\r\n",
            ".",
            "\r\n.",
            "a",
            "A:",
            " ",
            "\t",
            "x: y\r\n",
            ":",
            "\u00e9",
            "\r",
            "\n",
            "\0",
            "word ",
            "Received: x\r\n"
        };
        for (int n = 0; n < 20_000; n++) {
            StringBuilder text = new StringBuilder();
            int dirty = random.nextInt(4);
            for (int i = random.nextInt(14); i > 0; i--) {
                String part = parts[random.nextInt(parts.length)];
                boolean bad = part.equals("\r") || part.equals("\n") || part.equals("\0");
                text.append(bad && dirty != 0 ? "" : part);
            }
            String input = text + "\r\n.\r\nNOOP\r\n";
            Result whole = data(input);
            assertThat(whole.content())
                    .isEqualTo(whole.decoder().isWriting() ? reference(input) : whole.content());
            int a = random.nextInt(input.length());
            int b = a + random.nextInt(input.length() - a);
            Result cut = data(input, a, b);
            assertThat(cut.decoder().fault())
                    .as("seed %d", seed)
                    .isEqualTo(whole.decoder().fault());
            assertThat(cut.rest()).as("seed %d", seed).isEqualTo(whole.rest());
            assertThat(cut.decoder().octets()).isEqualTo(whole.decoder().octets());
            assertThat(cut.decoder().receivedFields()).isEqualTo(whole.decoder().receivedFields());
            if (whole.decoder().isWriting()) {
                assertThat(cut.content()).as("seed %d", seed).isEqualTo(whole.content());
                assertThat(cut.crc()).isEqualTo(whole.crc());
            }
        }
    }

    /** The plain way: find the end, split, un-stuff, look for the first line that is no field. */
    private static String reference(String input) {
        String framed = "\r\n" + input;
        String mail = framed.substring(0, framed.indexOf("\r\n.\r\n") + 2).substring(2);
        StringBuilder out = new StringBuilder();
        boolean header = true;
        boolean first = true;
        int from = 0;
        while (from < mail.length()) {
            int end = mail.indexOf("\r\n", from);
            String line = mail.substring(from, end);
            from = end + 2;
            line = line.startsWith(".") ? line.substring(1) : line;
            if (header) {
                boolean continuation = !first && (line.startsWith(" ") || line.startsWith("\t"));
                boolean field = line.matches("(?s)[\\x21-\\x39\\x3b-\\x7e]+[ \\t]*:.*");
                if (!continuation && !field) {
                    header = false;
                    out.append(line.isEmpty() ? "" : "\n");
                }
            }
            first = false;
            out.append(line).append('\n');
        }
        return out.toString();
    }
}
