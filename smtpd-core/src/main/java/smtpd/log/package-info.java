/**
 * What the daemon says about itself: {@code key=value} lines, the way they leave the process, and
 * the trace switches.
 *
 * <p>Called by every process and by the commands; calls slf4j, logback and, for syslog, {@link
 * smtpd.sys.DevLog}. A line is built on the thread that has something to say and handed over to one
 * writer thread through a bounded queue, so an event loop never waits for a log. When the queue or
 * the syslog daemon is full, lines are dropped and counted, and a line says how many. Needs no
 * privilege: /dev/log is open to all. A log that fails never fails the mail.
 */
package smtpd.log;
