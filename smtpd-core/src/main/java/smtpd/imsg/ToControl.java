package smtpd.imsg;

/** What control hears: from the parent, from every child, and from {@code smtpctl} clients. */
public sealed interface ToControl extends Message
        permits ParentToChild,
                ParentToControl,
                ChildToControl,
                SchedulerToControl,
                QueueToControl,
                CtlToControl {}
