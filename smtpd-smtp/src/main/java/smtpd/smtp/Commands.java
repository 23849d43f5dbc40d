package smtpd.smtp;

import java.nio.charset.StandardCharsets;
import smtpd.log.Trace;
import smtpd.smtp.Session.State;
import smtpd.stat.Stat;

/**
 * Reads command lines and carries out those that begin no mail; the others go to {@link
 * MailExchange}. Knows how the client introduced itself.
 */
final class Commands {

    private static final byte[] EMPTY = {};
    private static final int MAX_IDLE_COMMANDS = 50;

    private final Session session;
    private final SessionLoop shared;
    private final SessionConfig config;
    private final Client client;
    private final Wire wire;
    private final LineScanner scanner = new LineScanner();

    private String helo = "";
    private boolean esmtp;
    private boolean authSeen;
    private int count;
    private int idle;

    // The command being carried out, for its log line.
    private byte[] line = EMPTY;
    private int lineFrom;
    private int lineTo;
    private Verb verb = Verb.UNKNOWN;

    Commands(Session session, SessionLoop shared, SessionConfig config, Client client, Wire wire) {
        this.session = session;
        this.shared = shared;
        this.config = config;
        this.client = client;
        this.wire = wire;
    }

    /** Carries out one command; false when none is complete or it has to wait. */
    boolean next() {
        byte[] a = wire.array();
        int from = wire.head();
        int to = wire.tail();
        if (count == 0 && to - from > 1 && a[from] == 0x16 && a[from + 1] == 0x03) {
            session.endReason("tls on plain port");
            wire.drop();
            return false;
        }
        LineScanner.Found found = scanner.scan(a, from, to);
        if (found == LineScanner.Found.INCOMPLETE) {
            wire.consume(scanner.next());
            return false;
        }
        int end = found == LineScanner.Found.LINE ? scanner.end() : from;
        int word = Ascii.indexOf(a, from, end, ' ');
        Verb said = Verb.of(a, from, word);
        if (mustWait(said)) {
            return false;
        }
        scanner.taken();
        wire.consume(scanner.next());
        count++;
        line = a;
        lineFrom = from;
        lineTo = end;
        verb = said;
        if (Trace.SMTP.isOn()) {
            trace(found);
        }
        if (found == LineScanner.Found.LINE) {
            execute(a, from, word, end);
        } else {
            badLine(found);
        }
        line = EMPTY;
        lineFrom = 0;
        lineTo = 0;
        return true;
    }

    private void trace(LineScanner.Found found) {
        if (found == LineScanner.Found.LINE) {
            SessionTrace.command(session.sid(), line, lineFrom, lineTo, authSeen);
        } else {
            SessionTrace.badLine(session.sid(), found);
        }
    }

    /** RCPT may join those that are with lka; everything else waits for them. */
    private boolean mustWait(Verb said) {
        MailExchange exchange = session.exchange();
        return (said == Verb.RCPT && exchange.isOpen() && !session.isNamed())
                || !exchange.recipients().mayBegin(said);
    }

    private void badLine(LineScanner.Found found) {
        Reply reply =
                switch (found) {
                    case BARE_LF -> Reply.NOT_CRLF;
                    case TOO_LONG, FLOODED -> Reply.LINE_TOO_LONG;
                    default -> Reply.INVALID_CHARACTER;
                };
        session.log().badInput(reply);
        session.reply(reply);
        switch (found) {
            case BARE_LF -> session.close("bare-lf");
            case NUL, BARE_CR, FLOODED -> session.close("bad-input");
            default -> {}
        }
    }

    private void execute(byte[] a, int from, int word, int end) {
        if (from == end) {
            session.reply(Reply.EMPTY_COMMAND);
            return;
        }
        if ((count == 1 && isForeign(a, from, end)) || Ascii.startsWith(a, from, end, "host:")) {
            session.reply(Reply.MAIL_SERVER);
            session.close("bad-input");
            return;
        }
        if (scanner.hasHighBit() && !mayBeUtf8()) {
            session.log().badInput(Reply.INVALID_CHARACTER);
            session.reply(Reply.INVALID_CHARACTER);
            return;
        }
        int arg = Ascii.skipBlanks(a, word, end);
        boolean bare = word == end;
        switch (verb) {
            case HELO, EHLO -> hello(a, word, end);
            case MAIL -> session.exchange().mailFrom(a, arg, end);
            case RCPT -> session.exchange().recipients().rcptTo(a, arg, end);
            case DATA -> session.exchange().dataCommand(bare);
            case BDAT -> session.exchange().bdat(a, arg, end);
            case RSET -> rset(bare);
            case NOOP -> idleCommand(Reply.OK);
            case QUIT -> quit(bare);
            case VRFY -> idleCommand(bare ? verb.syntax() : Reply.CANNOT_VERIFY);
            case EXPN -> idleCommand(Reply.NO_EXPN);
            case HELP -> idleCommand(Reply.HELP);
            case STARTTLS -> session.reply(orOutOfPlace(bare ? Reply.NO_STARTTLS : verb.syntax()));
            case AUTH -> auth();
            case NOT_IMPLEMENTED -> session.reply(Reply.NOT_IMPLEMENTED);
            case UNKNOWN -> session.reply(Reply.UNRECOGNIZED);
        }
    }

    private boolean mayBeUtf8() {
        return switch (verb) {
            case MAIL, RCPT, VRFY, HELO, EHLO -> true;
            default -> false;
        };
    }

    private static boolean isForeign(byte[] a, int from, int end) {
        return Ascii.startsWith(a, from, end, "get ")
                || Ascii.startsWith(a, from, end, "post ")
                || Ascii.startsWith(a, from, end, "put ")
                || Ascii.startsWith(a, from, end, "head ")
                || Ascii.startsWith(a, from, end, "options ")
                || Ascii.startsWith(a, from, end, "connect ")
                || Ascii.startsWith(a, from, end, "pri ");
    }

    // ---- commands without a mail

    private void hello(byte[] a, int word, int end) {
        if (word == end) {
            session.reply(verb == Verb.EHLO ? Reply.EHLO_SYNTAX : Reply.HELO_SYNTAX);
            return;
        }
        String name = heloArgument(a, word + 1, end);
        if (name == null) {
            session.reply(Reply.HELO_NAME);
            return;
        }
        if (session.state() != State.HELLO && isTooIdle()) {
            return;
        }
        session.exchange().rollback();
        helo = name;
        esmtp = verb == Verb.EHLO;
        session.state(State.READY);
        session.forgive();
        String greeting = " Hello " + name + " [" + client.tagged() + "], pleased to meet you\r\n";
        wire.write(
                ((esmtp ? "250-" : "250 ") + config.name() + greeting)
                        .getBytes(StandardCharsets.US_ASCII));
        if (esmtp) {
            wire.write(config.extensions());
        }
    }

    private String heloArgument(byte[] a, int from, int to) {
        if (!client.isLocal()) {
            return DomainName.helo(a, from, to);
        }
        boolean printable =
                to - from <= DomainName.MAX
                        && !Ascii.hasHighBit(a, from, to)
                        && Ascii.indexOf(a, from, to, ' ') == to;
        return printable ? Ascii.text(a, from, to) : null;
    }

    private void rset(boolean bare) {
        if (!bare) {
            session.reply(verb.syntax());
            return;
        }
        if (isTooIdle()) {
            return;
        }
        session.exchange().rollback();
        if (session.state() != State.HELLO) {
            session.state(State.READY);
        }
        session.reply(Reply.RESET);
    }

    private void idleCommand(Reply reply) {
        if (!isTooIdle()) {
            session.reply(reply);
        }
    }

    /** Commands that bring no mail nearer are free, but not for ever. */
    boolean isTooIdle() {
        if (client.isLocal() || ++idle <= MAX_IDLE_COMMANDS) {
            return false;
        }
        kick("Too many commands without a mail");
        return true;
    }

    private void kick(String text) {
        shared.stats.increment(Stat.SMTP_KICK);
        session.endReason("kick");
        session.reply(Reply.closing("4.7.0", config.name(), text));
    }

    private void quit(boolean bare) {
        if (!bare) {
            session.reply(verb.syntax());
            return;
        }
        session.reply(Reply.BYE);
        session.close("quit");
    }

    private void auth() {
        authSeen = true;
        Reply answer = client.isLocal() ? Reply.ALREADY_AUTHENTICATED : Reply.NO_AUTH;
        boolean greeted = session.state() != State.HELLO && esmtp;
        session.reply(greeted ? orOutOfPlace(answer) : Reply.SAY_EHLO);
    }

    /** What STARTTLS and AUTH are told where they may not stand. */
    private Reply orOutOfPlace(Reply inPlace) {
        return switch (session.state()) {
            case HELLO -> Reply.SAY_EHLO;
            case READY -> inPlace;
            case FAILED -> Reply.SEND_RSET;
            default -> Reply.NOT_IN_TRANSACTION;
        };
    }

    /** What a client sent behind AUTH may be a password. */
    String lineText() {
        if (authSeen && verb == Verb.UNKNOWN) {
            return "?"; // the lines of an exchange that we refused
        }
        int word = Ascii.skipBlanks(line, lineFrom, lineTo); // " AUTH ..." is unknown, and a secret
        boolean isAuth = verb == Verb.AUTH || Ascii.startsWith(line, word, lineTo, "auth");
        return isAuth ? "AUTH ********" : Ascii.printable(line, lineFrom, lineTo);
    }

    /** Word of the log for what is going on. */
    String phase() {
        return switch (verb) {
            case HELO, EHLO -> "helo";
            case MAIL -> "mail";
            case RCPT -> "rcpt";
            case DATA, BDAT -> "data";
            case AUTH -> "auth";
            case STARTTLS -> "starttls";
            default -> "command";
        };
    }

    // ---- what others ask

    /** The name the client gave itself; empty before. */
    String helo() {
        return helo;
    }

    /** EHLO was said: extensions may be used. */
    boolean isEsmtp() {
        return esmtp;
    }

    /** HELO was said: replies have no enhanced codes. */
    boolean isHelo() {
        return !esmtp && !helo.isEmpty();
    }

    /** Commands so far. */
    int count() {
        return count;
    }

    /** A mail was accepted. */
    void useful() {
        idle = 0;
    }

    /** What is said next is about this command. */
    void about(Verb earlier) {
        verb = earlier;
    }
}
