package smtpd.imsg;

/** What mda hears. */
public sealed interface ToMda extends Message
        permits ParentToChild, ControlToChild, ControlToMda, LkaToMda, QueueToMda {}
