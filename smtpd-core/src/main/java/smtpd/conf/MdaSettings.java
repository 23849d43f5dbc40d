package smtpd.conf;

/**
 * @param sync how a mailbox write becomes durable
 * @param aliasUser account of pipes and files that come from aliases and virtual tables
 */
public record MdaSettings(Sync sync, String aliasUser) {

    public static final MdaSettings DEFAULT = new MdaSettings(Sync.FILE, Accounts.DAEMON);

    /** One sync a file, or one for all that wait. */
    public enum Sync {
        FILE,
        GROUP
    }
}
