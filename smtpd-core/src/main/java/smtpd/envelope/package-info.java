/**
 * Envelopes and their ids: the values and the plain text form that lies in the spool and crosses
 * between processes. Pure values without process, privilege or I/O; a text that cannot be read
 * yields a verdict, never another exception.
 */
package smtpd.envelope;
