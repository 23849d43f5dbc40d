package smtpd.imsg;

/** What control answers an {@code smtpctl} client. */
public sealed interface ControlToCtl extends Message
        permits ChildToControl.ShowRow,
                ChildToControl.ControlDone,
                SchedulerToControl.MessageIds,
                QueueToControl.EnvelopeLine,
                QueueToControl.MessageContent {}
