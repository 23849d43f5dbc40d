/**
 * Envelopes and their ids: the values and the plain text form that lies in the spool and crosses
 * between processes. Pure values without process, privilege or I/O; a text that cannot be read
 * yields a verdict, never another exception.
 *
 * <p>Made by lka at RCPT, completed by queue at commit, read by mta, mda and the tools. {@link
 * smtpd.envelope.Envelope} checks every value when it is made, {@link smtpd.envelope.EnvelopeText}
 * writes and reads the lines.
 */
package smtpd.envelope;
