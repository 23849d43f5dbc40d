/**
 * From one recipient to its final destinations: aliases, virtual tables, {@code .forward}, users.
 *
 * <p>Called by {@code LkaProcess}, one expansion per RCPT and per return path of a notice; calls
 * the rules, the tables, the user database and, through its caller, the parent for {@code
 * .forward}. Runs in the lka process as {@code _smtpd}, on its event loop, and waits for nothing.
 * The result is a complete set of envelopes or one refusal, never a part: what cannot be known now
 * is a temporary refusal. Depth, nodes, line lengths and time of an expansion are bounded, since a
 * {@code .forward} is written by anybody.
 */
package smtpd.lka.expand;
