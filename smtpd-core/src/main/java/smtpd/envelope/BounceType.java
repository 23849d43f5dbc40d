package smtpd.envelope;

/** What a report to the sender says (RFC 3464 2.3.3 action values). */
public enum BounceType {
    FAILED("error", "failed"),
    DELAYED("warn", "delayed"),
    DELIVERED("dsn", "delivered"),
    RELAYED("relayed", "relayed"),
    EXPANDED("expanded", "expanded");

    private final String classic;
    private final String modern;

    BounceType(String classic, String modern) {
        this.classic = classic;
        this.modern = modern;
    }

    /** The word that an envelope text of this version uses; both are read in every version. */
    public String text(int version) {
        return version >= 3 ? modern : classic;
    }
}
