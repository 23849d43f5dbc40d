package smtpd.imsg;

/** What the scheduler hears. Agents reach it through the queue alone. */
public sealed interface ToScheduler extends Message
        permits ParentToChild, ControlToChild, ControlToScheduler, QueueToScheduler {}
