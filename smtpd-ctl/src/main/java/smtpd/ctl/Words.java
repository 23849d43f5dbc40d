package smtpd.ctl;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Matches what was typed against the tree of commands, word by word: exactly, else by a prefix that
 * only one keyword has. A prefix that was unique among the classic keywords stays theirs, so that
 * old scripts go on working.
 */
final class Words {

    /**
     * A command with its arguments.
     *
     * @param arguments the words that stand for parameters
     */
    record Match(Verb verb, List<String> arguments) {}

    private static final class Node {
        final Map<String, Node> keywords = new LinkedHashMap<>();
        final Map<String, Node> parameters = new LinkedHashMap<>();
        Verb verb;
        boolean isClassic;
    }

    private static final Node ROOT = tree();

    private Words() {}

    private static Node tree() {
        Node root = new Node();
        for (Verb verb : Verb.values()) {
            Node node = root;
            for (String word : verb.pattern().split(" ")) {
                Map<String, Node> children =
                        word.charAt(0) == '<' ? node.parameters : node.keywords;
                node = children.computeIfAbsent(word, _ -> new Node());
                node.isClassic |= verb.isClassic();
            }
            node.verb = verb;
        }
        return root;
    }

    /**
     * Finds the command.
     *
     * @throws Failure with the possibilities, when there is none or more than one
     */
    static Match match(List<String> typed) {
        Node node = ROOT;
        StringBuilder path = new StringBuilder();
        List<String> arguments = new ArrayList<>();
        for (int i = 0; i < typed.size(); i++) {
            String word = typed.get(i);
            Node next = node.keywords.get(word);
            String full = word;
            if (next == null) {
                String parameter = parameter(node, word);
                if (parameter != null) {
                    next = node.parameters.get(parameter);
                    arguments.add(word);
                    if (parameter.endsWith("s>")) {
                        for (i++; i < typed.size(); i++) {
                            if (!fits(parameter, typed.get(i))) {
                                throw refusal(node, path, typed.get(i));
                            }
                            arguments.add(typed.get(i));
                        }
                    }
                } else {
                    full = expand(node, word, path);
                    next = node.keywords.get(full);
                }
            }
            path.append(full).append(' ');
            node = next;
        }
        if (node.verb == null) {
            throw refusal(node, path, "");
        }
        return new Match(node.verb, arguments);
    }

    private static String parameter(Node node, String word) {
        for (String parameter : node.parameters.keySet()) {
            if (fits(parameter, word)) {
                return parameter;
            }
        }
        return null;
    }

    private static String expand(Node node, String prefix, StringBuilder path) {
        List<String> found = new ArrayList<>();
        List<String> classic = new ArrayList<>();
        for (Map.Entry<String, Node> keyword : node.keywords.entrySet()) {
            if (keyword.getKey().startsWith(prefix)) {
                found.add(keyword.getKey());
                if (keyword.getValue().isClassic) {
                    classic.add(keyword.getKey());
                }
            }
        }
        if (prefix.isEmpty() || found.isEmpty()) {
            throw refusal(node, path, prefix);
        }
        if (found.size() > 1 && classic.size() != 1) {
            throw possibilities(found, path);
        }
        return found.size() == 1 ? found.get(0) : classic.get(0);
    }

    static boolean fits(String parameter, String word) {
        return switch (parameter) {
            case "<id>", "<ids>" -> isHex(word, 8) || isHex(word, 16);
            case "<evpid>" -> isHex(word, 16);
            case "<msgid>" -> isHex(word, 8);
            case "<number>" -> isNumber(word);
            default -> !word.isEmpty();
        };
    }

    private static boolean isHex(String word, int length) {
        if (word.length() != length) {
            return false;
        }
        boolean isZero = true;
        for (int i = 0; i < length; i++) {
            if (Character.digit(word.charAt(i), 16) < 0 || word.charAt(i) > 'f') {
                return false;
            }
            isZero &= word.charAt(i) == '0';
        }
        return !isZero;
    }

    private static boolean isNumber(String word) {
        try {
            return word.charAt(0) != '+' && Long.parseLong(word) > 0;
        } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
            return false;
        }
    }

    private static Failure refusal(Node node, StringBuilder path, String word) {
        List<String> all = new ArrayList<>(node.keywords.keySet());
        all.addAll(node.parameters.keySet());
        if (all.isEmpty()) {
            return new Failure(
                    Exit.COMMAND_LINE,
                    "invalid command: nothing more follows \""
                            + path.toString().trim()
                            + "\", got \""
                            + Printable.of(word)
                            + "\"");
        }
        return possibilities(all, path);
    }

    private static Failure possibilities(List<String> words, StringBuilder path) {
        StringBuilder text = new StringBuilder("possibilities are:");
        for (String word : words) {
            text.append('\n').append(path).append(word);
        }
        return new Failure(Exit.COMMAND_LINE, text.toString());
    }
}
