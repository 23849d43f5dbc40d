package smtpd.control;

import java.util.EnumSet;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ChildToControl.ShowRow;
import smtpd.imsg.ControlToCtl;
import smtpd.imsg.Message;
import smtpd.imsg.Role;
import smtpd.proc.Frame;

/**
 * A request of a client that other processes answer. It waits for some of them; each may answer, or
 * die. The client may be gone long before: then nobody is told.
 */
abstract class Task {

    private final long key;
    private final Client client;
    private final EnumSet<Role> awaited = EnumSet.noneOf(Role.class);
    private boolean ended;

    /**
     * @param key id of the frames to the processes; no other incarnation of control uses it
     */
    Task(long key, Client client) {
        this.key = key;
        this.client = client;
    }

    final long key() {
        return key;
    }

    final Client client() {
        return client;
    }

    final boolean isEnded() {
        return ended;
    }

    final EnumSet<Role> awaited() {
        return awaited;
    }

    final void await(Role role) {
        awaited.add(role);
    }

    /** A process has said all it had to; true when it was the last one. */
    final boolean satisfied(Role role) {
        awaited.remove(role);
        return awaited.isEmpty();
    }

    final void row(ControlToCtl row, boolean more) {
        if (!ended) {
            client.answer(row, more);
        }
    }

    final void row(ShowRow row) {
        row(row, false);
    }

    final void end(ControlDone end) {
        if (!ended) {
            ended = true;
            client.done(end);
        }
    }

    /** One frame about this task. */
    abstract void answered(Frame frame, Message message);

    /** A process has put the n-th state of switches it was told in force. */
    void confirmed(Role role, long n) {}

    /** A process it waits for died. */
    abstract void lost(Role role);

    /** It waited long enough. */
    abstract void expired();
}
