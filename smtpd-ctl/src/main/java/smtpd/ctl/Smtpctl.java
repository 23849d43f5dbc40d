package smtpd.ctl;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import smtpd.ctl.Words.Match;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** {@code smtpctl}, and {@code mailq}, which is {@code smtpctl show queue}. */
public final class Smtpctl {

    private final OutputStream stdout;
    private final PrintStream stderr;

    Smtpctl(OutputStream stdout, PrintStream stderr) {
        this.stdout = stdout;
        this.stderr = stderr;
    }

    public static void main(String[] arguments) {
        List<String> words = new ArrayList<>(List.of(arguments));
        if (System.getProperty("smtpd.program", "").equals("mailq")) {
            words.addAll(List.of("show", "queue"));
        }
        // Not System.out: it hides that nobody reads any more.
        Smtpctl program =
                new Smtpctl(
                        new FileOutputStream(FileDescriptor.out),
                        new PrintStream(
                                new FileOutputStream(FileDescriptor.err),
                                true,
                                StandardCharsets.UTF_8));
        int status = program.run(words.toArray(String[]::new), System.getenv("SMTPD_ROOT"));
        Runtime.getRuntime().halt(status);
    }

    /**
     * Runs one command line.
     *
     * @param root value of SMTPD_ROOT, may be null
     * @return exit status
     */
    int run(String[] arguments, String root) {
        Output out = new Output(stdout);
        int status;
        try {
            status = execute(arguments, root, out);
            out.flush();
        } catch (Failure e) {
            status = e.status();
            try {
                out.flush();
            } catch (Output.ReaderGone gone) {
                return Exit.OK;
            }
            if (!e.getMessage().isEmpty()) {
                stderr.println(e.getMessage());
            }
        } catch (Output.ReaderGone e) {
            status = Exit.OK;
        } catch (UncheckedIOException e) {
            stderr.println("smtpctl: cannot write: " + e.getCause().getMessage());
            status = Exit.FAILED;
        }
        return status;
    }

    private int execute(String[] arguments, String root, Output out) {
        Options options = Options.parse(arguments, root);
        if (options.help()) {
            help(out);
            return Exit.OK;
        }
        Match match = Words.match(options.words());
        check(match.verb(), options);
        watch(options.timeoutSeconds());
        Daemon daemon;
        try {
            daemon = Daemon.connect(options.socket());
        } catch (Failure e) {
            if (e.status() == Exit.NOT_RUNNING && readSpool(match, options, out)) {
                return Exit.OK;
            }
            throw e;
        }
        try (daemon) {
            return new Commands(daemon, out, options, this::warn).run(match);
        }
    }

    private void warn(String text) {
        stderr.println("smtpctl: " + text);
    }

    private static void check(Verb verb, Options options) {
        for (char letter : options.letters().toCharArray()) {
            if (verb.options().indexOf(letter) < 0) {
                throw new Failure(
                        Exit.COMMAND_LINE, "-" + letter + " is no option of " + verb.pattern());
            }
        }
    }

    /** Ends the program when the daemon does not answer in time. */
    private void watch(int seconds) {
        if (seconds == 0) {
            return;
        }
        Thread watchdog =
                new Thread(
                        () -> {
                            try {
                                Thread.sleep(seconds * 1000L);
                            } catch (InterruptedException e) {
                                return;
                            }
                            stderr.println("no answer within " + seconds + " seconds");
                            Runtime.getRuntime().halt(Exit.LOST);
                        },
                        "watchdog");
        watchdog.setDaemon(true);
        watchdog.start();
    }

    /** False for commands that need the daemon. */
    private boolean readSpool(Match match, Options options, Output out) {
        OfflineSpool spool = new OfflineSpool(options.instance().spool(), out, this::warn);
        List<String> arguments = match.arguments();
        switch (match.verb()) {
            case SHOW_QUEUE -> list(spool, null, options, out);
            case SHOW_QUEUE_OF -> list(spool, Msgid.parse(arguments.get(0)), options, out);
            case SHOW_ENVELOPE -> spool.envelope(Evpid.parse(arguments.get(0)));
            case SHOW_MESSAGE -> spool.message(msgid(arguments.get(0)));
            default -> {
                return false;
            }
        }
        return true;
    }

    private static Msgid msgid(String text) {
        return text.length() == 8 ? Msgid.parse(text) : Evpid.parse(text).msgid();
    }

    private static void list(OfflineSpool spool, Msgid only, Options options, Output out) {
        long now = System.currentTimeMillis() / 1000;
        long[] count = new long[1];
        spool.list(
                only,
                line -> {
                    count[0]++;
                    out.line(options.has('j') ? line.json(now).toString() : line.text(now));
                });
        if (options.has('j')) {
            out.line(new Json().put("end", true).put("count", count[0]).toString());
        }
    }

    private static void help(Output out) {
        out.line(Options.usage().trim());
        out.line("");
        for (Verb verb : Verb.values()) {
            out.line(String.format("  %-30s %s", verb.pattern(), verb.help()));
        }
    }
}
