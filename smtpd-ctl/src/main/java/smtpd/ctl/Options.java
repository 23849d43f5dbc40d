package smtpd.ctl;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import smtpd.conf.Instance;

/**
 * What was typed, sorted into options and words.
 *
 * @param words the command, not yet expanded
 * @param letters options of single commands that were given
 */
record Options(
        List<String> words,
        boolean quiet,
        Instance instance,
        Path socket,
        int timeoutSeconds,
        int interval,
        int count,
        String letters,
        boolean help) {

    private static final int NO_LIMIT = 0;

    /**
     * Reads the command line.
     *
     * @param root value of SMTPD_ROOT, may be null
     * @throws Failure with status 2
     */
    static Options parse(String[] arguments, String root) {
        Options usual = usual(arguments, root);
        return usual != null ? usual : read(arguments, root);
    }

    /**
     * The usual command line: plain words, and the options that scripts give most. Read without the
     * library, which takes longer to load than all the rest of this program; null when there is
     * anything else.
     */
    private static Options usual(String[] arguments, String root) {
        List<String> words = new ArrayList<>(arguments.length);
        String dir = null;
        boolean quiet = false;
        StringBuilder letters = new StringBuilder(2);
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "-r" -> {
                    if (dir != null || i + 1 == arguments.length) {
                        return null;
                    }
                    dir = arguments[++i];
                }
                case "-q" -> quiet = true;
                case "-j", "--json" -> letters.append('j');
                case "-y" -> letters.append('y');
                default -> {
                    if (arguments[i].startsWith("-")) {
                        return null;
                    }
                    words.add(arguments[i]);
                }
            }
        }
        Instance instance = instance(dir, root);
        return new Options(
                words,
                quiet,
                instance,
                instance.socket(),
                NO_LIMIT,
                1,
                NO_LIMIT,
                letters.toString(),
                false);
    }

    private static Options read(String[] arguments, String root) {
        CommandLine line = new CommandLine(spec()).setTrimQuotes(false);
        CommandLine.ParseResult found;
        try {
            found = line.parseArgs(arguments);
        } catch (CommandLine.ParameterException e) {
            throw new Failure(Exit.COMMAND_LINE, Printable.of(String.valueOf(e.getMessage())));
        }
        StringBuilder letters = new StringBuilder();
        for (String letter : List.of("j", "y", "i", "n")) {
            if (found.hasMatchedOption("-" + letter)) {
                letters.append(letter);
            }
        }
        Instance instance = instance(found.matchedOptionValue("-r", (String) null), root);
        String socket = found.matchedOptionValue("--socket", (String) null);
        List<String> words = new ArrayList<>(found.matchedPositionalValue(0, List.<String>of()));
        return new Options(
                words,
                found.hasMatchedOption("-q"),
                instance,
                socket == null ? instance.socket() : Path.of(socket),
                positive("--timeout", found.matchedOptionValue("--timeout", NO_LIMIT)),
                positive("-i", found.matchedOptionValue("-i", 1)),
                positive("-n", found.matchedOptionValue("-n", NO_LIMIT)),
                letters.toString(),
                found.hasMatchedOption("-h"));
    }

    private static int positive(String name, int value) {
        if (value < 0 || (value == 0 && name.equals("-i"))) {
            throw new Failure(Exit.COMMAND_LINE, name + ": " + value + " is too small");
        }
        return value;
    }

    private static CommandSpec spec() {
        return CommandSpec.create()
                .name("smtpctl")
                .addOption(flag("Print nothing but errors.", "-q"))
                .addOption(flag("Print JSON.", "-j", "--json"))
                .addOption(flag("Do not ask.", "-y"))
                .addOption(flag("Show this help.", "-h", "--help"))
                .addOption(value(String.class, "DIR", "Root of a private instance.", "-r"))
                .addOption(value(String.class, "PATH", "Control socket.", "--socket"))
                .addOption(value(int.class, "SECONDS", "Give up after that.", "--timeout"))
                .addOption(value(int.class, "SECONDS", "Time between lines.", "-i"))
                .addOption(value(int.class, "COUNT", "Number of lines.", "-n"))
                .addPositional(
                        PositionalParamSpec.builder()
                                .paramLabel("command")
                                .index("0..*")
                                .arity("0..*")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .build());
    }

    private static OptionSpec flag(String help, String name, String... others) {
        return OptionSpec.builder(name, others).type(boolean.class).description(help).build();
    }

    private static OptionSpec value(Class<?> type, String label, String help, String name) {
        return OptionSpec.builder(name)
                .type(type)
                .arity("1")
                .paramLabel(label)
                .description(help)
                .build();
    }

    private static Instance instance(String option, String root) {
        String dir = option != null ? option : root;
        try {
            return dir == null || dir.isEmpty() ? Instance.system() : Instance.at(Path.of(dir));
        } catch (IllegalArgumentException e) {
            throw new Failure(Exit.COMMAND_LINE, String.valueOf(e.getMessage()));
        }
    }

    boolean has(char letter) {
        return letters.indexOf(letter) >= 0;
    }

    /** Help on the options, one line each, for the bottom of the list of commands. */
    static String usage() {
        return new CommandLine(spec()).getUsageMessage(CommandLine.Help.Ansi.OFF);
    }
}
