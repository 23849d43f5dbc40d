package smtpd.imsg;

/** What control asks mda. */
public sealed interface ControlToMda extends ToMda permits ControlToMta.HoldNames {}
