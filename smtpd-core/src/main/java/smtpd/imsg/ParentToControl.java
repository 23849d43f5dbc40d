package smtpd.imsg;

import java.util.List;

/** What the parent tells control alone. */
public sealed interface ParentToControl extends ToControl {

    /** The control socket, bound and listening; its descriptor comes with the frame. */
    record ControlListener(@Max(4096) String path) implements ParentToControl {}

    /**
     * End of what control asked; the header repeats its id and client.
     *
     * @param rows answer lines, fields separated by blanks; empty when there is nothing to show
     */
    record ParentAnswer(boolean ok, @Max(2047) String text, List<String> rows)
            implements ParentToControl {}
}
