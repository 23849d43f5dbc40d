package smtpd.imsg;

/**
 * A record that breaks its own bounds or the cap of its edge: a defect of the sender, found before
 * anything was written.
 */
public final class UnsendableMessage extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnsendableMessage(String reason) {
        super(reason);
    }
}
