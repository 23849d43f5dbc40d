/**
 * Programs beside {@code smtpctl}: the quickstart that shows a newcomer the real daemon.
 *
 * <p>Run by a person, with that person's rights; they talk SMTP to the daemon and run the installed
 * commands as anybody would. A failure is told in one line, and the exit status tells too.
 */
package smtpd.tools;
