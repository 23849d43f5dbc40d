package smtpd.imsg;

/** What the parent hears. */
public sealed interface ToParent extends Message
        permits ChildToParent, ControlToParent, LkaToParent {}
