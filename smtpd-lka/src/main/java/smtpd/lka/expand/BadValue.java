package smtpd.lka.expand;

/** A text that is no target; what it belongs to fails for now, never for good. */
final class BadValue extends Exception {

    BadValue(String message) {
        super(message, null, false, false);
    }
}
