/**
 * {@code smtpctl} and {@code mailq}: what an operator types.
 *
 * <p>A command of its own, started by people, cron and scripts with the rights of whoever types; it
 * asks {@code smtpd.control} over the control socket and formats what comes back. It starts in a
 * tenth of a second because it loads little: no logging, no Netty, picocli only when there is an
 * option to read. Texts that came from outside are escaped before they reach a terminal.
 *
 * <p>When the daemon is down it says so and ends with status 4; queue listings, envelopes and
 * messages are then read from the spool, as far as the file modes allow.
 */
package smtpd.ctl;
