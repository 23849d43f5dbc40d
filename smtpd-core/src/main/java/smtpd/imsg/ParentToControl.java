package smtpd.imsg;

/** What the parent tells control alone. */
public sealed interface ParentToControl extends ToControl {

    /** The control socket, bound and listening; its descriptor comes with the frame. */
    record ControlListener(String path) implements ParentToControl {}
}
