package smtpd.imsg;

/**
 * What the queue hears. Envelopes come from lka alone, so that no process facing the Internet can
 * make one.
 */
public sealed interface ToQueue extends Message
        permits ParentToChild,
                ControlToChild,
                ControlToQueue,
                SmtpToQueue,
                LkaToQueue,
                SchedulerToQueue,
                MtaToQueue,
                MdaToQueue {}
