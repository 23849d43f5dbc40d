package smtpd.imsg;

/** What the queue tells mda. */
public sealed interface QueueToMda extends ToMda permits QueueToAgent {}
