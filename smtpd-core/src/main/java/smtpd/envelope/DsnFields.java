package smtpd.envelope;

/**
 * What the sender asked to be told (RFC 3461), and the enhanced status of the last failure (RFC
 * 3463).
 *
 * @param notifyBits bits {@link #SUCCESS}, {@link #FAILURE}, {@link #DELAY}, {@link #NEVER}; 0 =
 *     not given
 * @param ret null = not given
 * @param envid xtext as received; may be empty
 * @param orcpt {@code rfc822;addr}, or {@code addr} from older spools; may be empty
 * @param escClass 2, 4, 5, or 0 = none
 * @param escCode subject times ten plus detail
 */
public record DsnFields(
        int notifyBits, DsnReturn ret, String envid, String orcpt, int escClass, int escCode) {

    public static final int SUCCESS = 1;
    public static final int FAILURE = 2;
    public static final int DELAY = 4;
    public static final int NEVER = 8;

    public static final DsnFields NONE = new DsnFields(0, null, "", "", 0, 0);

    public DsnFields {
        Values.range("dsn-notify", notifyBits, 255);
        Values.range("esc-class", escClass, 255);
        Values.range("esc-code", escCode, 255);
        envid = Values.text("dsn-envid", envid, 100);
        orcpt = Values.text("dsn-orcpt", orcpt, 500);
    }

    /** {@code 4.7.1}, or empty when no failure was noted. */
    public String enhancedStatus() {
        return escClass == 0 ? "" : escClass + "." + escCode / 10 + "." + escCode % 10;
    }
}
