package smtpd.imsg;

/** What lka hears. */
public sealed interface ToLka extends Message
        permits ParentToChild,
                ParentToLka,
                ControlToChild,
                ControlToLka,
                SmtpToLka,
                QueueToLka,
                MtaToLka,
                MdaToLka {}
