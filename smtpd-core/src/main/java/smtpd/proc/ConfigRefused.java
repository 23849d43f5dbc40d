package smtpd.proc;

/** A process cannot use an offered configuration; nothing changes, and the operator reads why. */
public final class ConfigRefused extends Exception {

    private static final long serialVersionUID = 1L;

    public ConfigRefused(String reason) {
        super(reason);
    }
}
