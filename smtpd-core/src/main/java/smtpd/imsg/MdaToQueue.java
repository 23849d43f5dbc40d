package smtpd.imsg;

/** What mda tells the queue. */
public sealed interface MdaToQueue extends ToQueue
        permits AgentToQueue.Delivered,
                AgentToQueue.Deferred,
                AgentToQueue.Failed,
                AgentToQueue.Looped,
                AgentToQueue.Hold,
                AgentToQueue.Release,
                AgentToQueue.InFlightReport,
                AgentToQueue.OpenMessage,
                AgentToQueue.ContentReleased {}
