package smtpd.imsg;

/** What control asks lka alone. */
public sealed interface ControlToLka extends ToLka {

    /** Load a table anew; answered by ControlDone after trying. */
    record UpdateTable(@Max(255) String name) implements ControlToLka, CtlToControl {}
}
