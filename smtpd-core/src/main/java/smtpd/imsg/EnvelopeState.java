package smtpd.imsg;

/** Bits of the state of an envelope as the scheduler tells it in listings. */
public final class EnvelopeState {

    public static final int PENDING = 1;
    public static final int IN_FLIGHT = 1 << 1;
    public static final int HELD = 1 << 2;
    public static final int SUSPENDED = 1 << 3;
    public static final int REMOVED = 1 << 4;
    public static final int EXPIRED = 1 << 5;

    private EnvelopeState() {}
}
