package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Msgid;

/** What the scheduler answers control. */
public sealed interface SchedulerToControl extends ToControl {

    /** A page of message ids, ascending. ControlDone follows. */
    record MessageIds(@Max(1024) List<Msgid> ids) implements SchedulerToControl, ControlToCtl {}
}
