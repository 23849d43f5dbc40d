package smtpd.imsg;

/** What smtp hears. */
public sealed interface ToSmtp extends Message
        permits ParentToChild,
                ParentToSmtp,
                ControlToChild,
                ControlToSmtp,
                LkaToSmtp,
                QueueToSmtp {}
