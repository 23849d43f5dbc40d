package smtpd.imsg;

/** What mta hears. */
public sealed interface ToMta extends Message
        permits ParentToChild, ControlToChild, ControlToMta, LkaToMta, QueueToMta {}
