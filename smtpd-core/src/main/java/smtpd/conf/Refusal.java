package smtpd.conf;

/** Ends the reading of one statement; becomes a {@link ConfigError} and never leaves the parser. */
final class Refusal extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Position at;
    private final String cure;

    Refusal(Position at, String message, String cure) {
        super(message, null, false, false);
        this.at = at;
        this.cure = cure;
    }

    Refusal(Position at, String message) {
        this(at, message, "");
    }

    Position at() {
        return at;
    }

    String cure() {
        return cure;
    }
}
