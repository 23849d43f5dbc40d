package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Evpid;

/** What mta tells the queue. */
public sealed interface MtaToQueue extends ToQueue
        permits AgentToQueue.Delivered,
                AgentToQueue.Deferred,
                AgentToQueue.Failed,
                AgentToQueue.Looped,
                AgentToQueue.Hold,
                AgentToQueue.Release,
                AgentToQueue.InFlightReport,
                AgentToQueue.OpenMessage,
                AgentToQueue.ContentReleased,
                MtaToQueue.ScheduleNow {

    /** A host works again: try these now. */
    record ScheduleNow(List<Evpid> evpids) implements MtaToQueue {}
}
