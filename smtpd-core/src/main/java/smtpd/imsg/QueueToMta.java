package smtpd.imsg;

/** What the queue tells mta. */
public sealed interface QueueToMta extends ToMta permits QueueToAgent {}
