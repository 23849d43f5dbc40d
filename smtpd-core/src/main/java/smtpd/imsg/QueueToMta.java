package smtpd.imsg;

/** What the queue tells mta. */
public sealed interface QueueToMta extends ToMta
        permits QueueToAgent.Transfer,
                QueueToAgent.MessageFile,
                QueueToAgent.HandoverCredit,
                QueueToAgent.ResultsStored,
                QueueToAgent.InFlightQuery {}
