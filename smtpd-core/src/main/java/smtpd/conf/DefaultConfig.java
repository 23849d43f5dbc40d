package smtpd.conf;

/**
 * The configuration of an instance that has none of its own: local mail in, everything else out.
 */
public final class DefaultConfig {

    /** A private instance is often started by a plain user, who may not bind port 25. */
    private static final int PRIVATE_PORT = 2525;

    private DefaultConfig() {}

    /** The text, with the aliases file of that instance. */
    public static String text(Instance instance) {
        return "table aliases file:"
                + instance.aliases()
                + "\nlisten on localhost"
                + (instance.isPrivate() ? " port " + PRIVATE_PORT : "")
                + "\naccept for local alias <aliases> deliver to maildir"
                + "\naccept for any relay\n";
    }
}
