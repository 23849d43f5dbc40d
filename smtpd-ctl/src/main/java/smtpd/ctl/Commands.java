package smtpd.ctl;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;
import smtpd.ctl.Words.Match;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.QueueToControl.EnvelopeRow;
import smtpd.imsg.Role;
import smtpd.imsg.Selection;

/** Runs one command against the daemon and prints what it answers. */
final class Commands {

    private static final int PAGE = 256;

    private final Daemon daemon;
    private final Output out;
    private final Options options;
    private final java.util.function.Consumer<String> warn;

    Commands(Daemon daemon, Output out, Options options, java.util.function.Consumer<String> warn) {
        this.daemon = daemon;
        this.out = out;
        this.options = options;
        this.warn = warn;
    }

    /** Returns the exit status. */
    int run(Match match) {
        List<String> arguments = match.arguments();
        return switch (match.verb()) {
            case DISCOVER -> counted(Request.discover(id(arguments.get(0))), "discovered");
            case FLUSH -> plain(Request.of(Request.FLUSH));
            case LOG_BRIEF -> plain(Request.verbose(false));
            case LOG_VERBOSE -> plain(Request.verbose(true));
            case MONITOR -> monitor();
            case PAUSE_ENVELOPE -> selected(Request.SUSPEND, arguments, "paused");
            case PAUSE_ENVELOPES -> all(Request.SUSPEND, "paused");
            case RESUME_ENVELOPE -> selected(Request.UNSUSPEND, arguments, "resumed");
            case RESUME_ENVELOPES -> all(Request.UNSUSPEND, "resumed");
            case REMOVE -> selected(Request.REMOVE, arguments, "removed");
            case REMOVE_ALL -> removeAll();
            case SCHEDULE -> selected(Request.SCHEDULE, arguments, "scheduled");
            case SCHEDULE_ALL -> all(Request.SCHEDULE, "scheduled");
            case PAUSE_MDA -> plain(Request.service(Request.PAUSE_SERVICE, Role.MDA));
            case PAUSE_MTA -> plain(Request.service(Request.PAUSE_SERVICE, Role.MTA));
            case PAUSE_SMTP -> plain(Request.service(Request.PAUSE_SERVICE, Role.SMTP));
            case RESUME_MDA -> plain(Request.service(Request.RESUME_SERVICE, Role.MDA));
            case RESUME_MTA -> plain(Request.service(Request.RESUME_SERVICE, Role.MTA));
            case RESUME_SMTP -> plain(Request.service(Request.RESUME_SERVICE, Role.SMTP));
            case RESUME_ROUTE -> plain(Request.route(Long.parseLong(arguments.get(0))));
            case RESUME_ROUTES -> plain(Request.route(0));
            case RELOAD -> plain(Request.of(Request.RELOAD));
            case STOP -> plain(Request.of(Request.SHUTDOWN));
            case TRACE -> switching(Request.SET_TRACE, arguments, true);
            case UNTRACE -> switching(Request.SET_TRACE, arguments, false);
            case PROFILE -> switching(Request.SET_PROFILE, arguments, true);
            case UNPROFILE -> switching(Request.SET_PROFILE, arguments, false);
            case UNCORRUPT -> uncorrupt(arguments.get(0));
            case UPDATE_TABLE -> plain(Request.table(arguments.get(0)));
            case SHOW_ENVELOPE -> content(id(arguments.get(0)), ControlToQueue.What.ENVELOPE);
            case SHOW_MESSAGE -> content(id(arguments.get(0)), ControlToQueue.What.MESSAGE);
            case SHOW_QUEUE -> queue(null);
            case SHOW_QUEUE_OF -> queue(Msgid.parse(arguments.get(0)));
            case SHOW_HOSTS -> mta(ControlToMta.MtaView.HOSTS, Commands::host);
            case SHOW_RELAYS -> mta(ControlToMta.MtaView.RELAYS, Commands::relay);
            case SHOW_ROUTES -> mta(ControlToMta.MtaView.ROUTES, Commands::route);
            case SHOW_STATS -> stats();
            case SHOW_STATUS -> rows(Request.of(Request.SHOW_STATUS), Commands::status);
            case SHOW_HOLDS -> rows(Request.of(Request.SHOW_HOLDS), Commands::hold);
            case SHOW_PROBLEMS -> rows(Request.of(Request.SHOW_PROBLEMS), Commands::joined);
            case SHOW_PROCESSES -> rows(Request.of(Request.SHOW_PROCESSES), Commands::joined);
            case SHOW_PROFILE -> profile("imsg") + profile("queue");
            case SHOW_PROFILE_OF -> profile(profileWord(arguments.get(0)));
        };
    }

    // ---- orders

    private int plain(Request request) {
        return ended(daemon.ask(request, _ -> {}));
    }

    private int ended(Answer.Done done) {
        String text = done.text().isEmpty() ? "" : ": " + Printable.of(done.text());
        if (!done.ok()) {
            out.line("command failed" + text);
            return Exit.FAILED;
        }
        say("command succeeded" + text);
        return Exit.OK;
    }

    private void say(String line) {
        if (!options.quiet()) {
            out.line(line);
        }
    }

    private int counted(Request request, String what) {
        Answer.Done done = daemon.ask(request, _ -> {});
        if (!done.ok()) {
            return ended(done);
        }
        sayCount(done.count(), what, done.text());
        return done.count() > 0 ? Exit.OK : Exit.FAILED;
    }

    private void sayCount(long count, String what, String note) {
        String more = note.isEmpty() ? "" : ", " + Printable.of(note);
        say(count + (count == 1 ? " envelope " : " envelopes ") + what + more);
    }

    /** Several ids are one command: their counts add up. */
    private int selected(int type, List<String> ids, String what) {
        long count = 0;
        StringBuilder notes = new StringBuilder();
        for (String id : ids) {
            Selection one =
                    id.length() == 8
                            ? new Selection.OneMessage(Msgid.parse(id))
                            : new Selection.OneEnvelope(Evpid.parse(id));
            Answer.Done done = daemon.ask(Request.selecting(type, one), _ -> {});
            if (!done.ok()) {
                return ended(done);
            }
            count += done.count();
            if (!done.text().isEmpty()) {
                notes.append(notes.isEmpty() ? "" : ", ").append(done.text());
            }
        }
        sayCount(count, what, notes.toString());
        return count > 0 ? Exit.OK : Exit.FAILED;
    }

    /** Nothing there is no failure: the order is carried out. */
    private int all(int type, String what) {
        Answer.Done done = daemon.ask(Request.selecting(type, new Selection.All()), _ -> {});
        if (!done.ok()) {
            return ended(done);
        }
        sayCount(done.count(), what, done.text());
        return Exit.OK;
    }

    // Null where there is no terminal, in JDK 25 again; the check knows 22 to 24 only.
    @SuppressWarnings("SystemConsoleNull")
    private int removeAll() {
        if (!options.has('y')) {
            java.io.Console console = System.console();
            if (console == null || !console.isTerminal()) {
                throw new Failure(
                        Exit.COMMAND_LINE, "remove all empties the queue: add -y to do it");
            }
            String reply = console.readLine("Remove all mail from the queue? [y/N] ");
            if (reply == null || !(reply.equals("y") || reply.equals("yes"))) {
                say("nothing removed");
                return Exit.FAILED;
            }
        }
        return all(Request.REMOVE, "removed");
    }

    private int switching(int type, List<String> words, boolean on) {
        boolean isTrace = type == Request.SET_TRACE;
        long bits = 0;
        for (String word : words) {
            OptionalLong bit = isTrace ? TraceWords.trace(word) : TraceWords.profile(word);
            if (bit.isEmpty()) {
                throw new Failure(
                        Exit.COMMAND_LINE,
                        Printable.of(word)
                                + ": not one of "
                                + (isTrace ? TraceWords.traces() : TraceWords.profiles()));
            }
            bits |= bit.getAsLong();
        }
        return plain(Request.switching(type, bits, on));
    }

    private static String profileWord(String word) {
        if (TraceWords.profile(word).isEmpty() || word.equals("all")) {
            throw new Failure(Exit.COMMAND_LINE, Printable.of(word) + ": not one of imsg queue");
        }
        return word;
    }

    private int uncorrupt(String id) {
        Answer.Done done =
                daemon.ask(
                        Request.restore(Msgid.parse(id)),
                        row -> warn.accept(joined(((Answer.Row) row).fields())));
        if (done.ok()) {
            return ended(done);
        }
        out.line(
                "command failed" + (done.text().isEmpty() ? "" : ": " + Printable.of(done.text())));
        return Exit.FAILED;
    }

    /** A msgid stands for the whole message: low half 0. */
    private static Evpid id(String text) {
        return text.length() == 8 ? Evpid.ofMessage(Msgid.parse(text)) : Evpid.parse(text);
    }

    // ---- views

    private int rows(Request request, Function<List<String>, String> format) {
        Answer.Done done = daemon.ask(request, row -> print(row, format));
        return done.ok() ? noted(done) : ended(done);
    }

    private int noted(Answer.Done done) {
        if (!done.text().isEmpty()) {
            warn.accept(Printable.of(done.text()));
        }
        return Exit.OK;
    }

    private void print(Answer answer, Function<List<String>, String> format) {
        if (answer instanceof Answer.Row row) {
            out.line(format.apply(row.fields()));
        }
    }

    private int mta(ControlToMta.MtaView view, Function<List<String>, String> format) {
        long from = 0;
        while (true) {
            Answer.Done done = daemon.ask(Request.mta(view, from), row -> print(row, format));
            if (!done.ok()) {
                return ended(done);
            }
            if (done.last() == 0) {
                return Exit.OK;
            }
            from = done.last();
        }
    }

    private int profile(String what) {
        return rows(Request.profile(what), Commands::joined);
    }

    private static String joined(List<String> fields) {
        return Printable.of(String.join(" ", fields));
    }

    private static String at(List<String> fields, int index) {
        return index < fields.size() ? Printable.of(fields.get(index)) : "-";
    }

    private static String span(List<String> fields, int index) {
        return index < fields.size() ? Span.field(fields.get(index)) : "-";
    }

    static String status(List<String> fields) {
        return at(fields, 0).toUpperCase(java.util.Locale.ROOT) + " " + at(fields, 1);
    }

    static String hold(List<String> fields) {
        return at(fields, 1)
                + " "
                + at(fields, 0)
                + " envelopes="
                + at(fields, 3)
                + " since="
                + at(fields, 4)
                + " "
                + at(fields, 5);
    }

    static String host(List<String> fields) {
        return at(fields, 0)
                + " "
                + at(fields, 1)
                + " refcount="
                + at(fields, 2)
                + " nconn="
                + at(fields, 3)
                + " lastconn="
                + span(fields, 4);
    }

    static String route(List<String> fields) {
        return at(fields, 0)
                + ". "
                + at(fields, 1)
                + " "
                + at(fields, 2)
                + " nconn="
                + at(fields, 3)
                + " nerror="
                + at(fields, 4)
                + " penalty="
                + at(fields, 5)
                + " timeout="
                + span(fields, 6);
    }

    static String relay(List<String> fields) {
        if (at(fields, 0).equals("connector")) {
            return "  connector "
                    + at(fields, 1)
                    + " refcount="
                    + at(fields, 2)
                    + " nconn="
                    + at(fields, 3)
                    + " lastconn="
                    + span(fields, 4)
                    + " timeout="
                    + span(fields, 5)
                    + " flags="
                    + at(fields, 6);
        }
        return at(fields, 1)
                + " refcount="
                + at(fields, 2)
                + " ntask="
                + at(fields, 3)
                + " nconn="
                + at(fields, 4)
                + " lastconn="
                + span(fields, 5)
                + " timeout="
                + span(fields, 6)
                + " wait="
                + at(fields, 7);
    }

    // ---- figures

    private Map<String, Long> fetchStats() {
        Map<String, Long> stats = new TreeMap<>();
        Answer.Done done =
                daemon.ask(
                        Request.of(Request.SHOW_STATS),
                        answer -> {
                            if (answer instanceof Answer.Row row && row.fields().size() == 2) {
                                stats.put(row.fields().get(0), number(row.fields().get(1)));
                            }
                        });
        if (!done.ok()) {
            throw new Failure(Exit.FAILED, "command failed: " + Printable.of(done.text()));
        }
        return stats;
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private int stats() {
        Map<String, Long> stats = fetchStats();
        if (options.has('j')) {
            Json values = new Json();
            stats.forEach(values::put);
            Json all = new Json().put("time", System.currentTimeMillis() / 1000);
            out.line(
                    all.put("uptime", stats.getOrDefault("uptime", 0L))
                            .put("stats", values)
                            .toString());
            return Exit.OK;
        }
        for (Map.Entry<String, Long> stat : stats.entrySet()) {
            out.line(Printable.of(stat.getKey()) + "=" + stat.getValue());
            if (stat.getKey().equals("uptime")) {
                out.line("uptime.human=" + Span.text(stat.getValue()));
            }
        }
        return Exit.OK;
    }

    private int monitor() {
        Monitor monitor = new Monitor();
        for (int n = 1; ; n++) {
            monitor.line(fetchStats(), options.interval(), out);
            if (n == options.count()) {
                return Exit.OK;
            }
            try {
                Thread.sleep(options.interval() * 1000L);
            } catch (InterruptedException e) {
                return Exit.OK;
            }
        }
    }

    // ---- mail

    private int queue(Msgid only) {
        Evpid from = only == null ? new Evpid(0) : Evpid.ofMessage(only);
        long now = System.currentTimeMillis() / 1000;
        long count = 0;
        while (true) {
            List<EnvelopeRow> page = new ArrayList<>();
            Answer.Done done =
                    daemon.ask(
                            Request.envelopes(from, PAGE),
                            answer -> {
                                if (answer instanceof Answer.Envelopes m) {
                                    page.addAll(m.rows());
                                }
                            });
            if (!done.ok()) {
                return ended(done);
            }
            for (EnvelopeRow row : page) {
                if (only == null || row.evpid().msgid().equals(only)) {
                    count++;
                    QueueLine line = QueueLine.of(row);
                    out.line(options.has('j') ? line.json(now).toString() : line.text(now));
                }
            }
            boolean isPast = only != null && (int) (done.last() >>> 32) != only.value();
            if (done.last() == 0 || done.last() == -1L || isPast) {
                if (options.has('j')) {
                    out.line(new Json().put("end", true).put("count", count).toString());
                }
                return only == null || count > 0 ? Exit.OK : Exit.FAILED;
            }
            from = new Evpid(done.last() + 1);
        }
    }

    private int content(Evpid id, ControlToQueue.What what) {
        try (Received received = new Received()) {
            Answer.Done done =
                    daemon.ask(
                            Request.content(id, what),
                            answer -> {
                                if (answer instanceof Answer.Piece piece) {
                                    received.add(piece.bytes());
                                }
                            });
            if (!done.ok()) {
                throw new Failure(
                        Exit.FAILED,
                        done.text().isEmpty() ? "command failed" : Printable.of(done.text()));
            }
            received.print(out);
            return Exit.OK;
        }
    }
}
