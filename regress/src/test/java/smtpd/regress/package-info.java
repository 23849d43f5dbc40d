/**
 * Tests that start the installed daemon as its users do and talk to it with real clients, peers and
 * name servers over loopback.
 *
 * <p>Nothing here reaches into a process: what is seen is what an operator sees, that is sockets,
 * mailboxes, the spool, the log, {@code smtpctl} and {@code /proc}. A {@link smtpd.regress.Site} is
 * the private folder of one daemon, a {@link smtpd.regress.Daemon} its run; {@link
 * smtpd.regress.SmtpClient}, {@link smtpd.regress.Load}, {@link smtpd.regress.Sink}, {@link
 * smtpd.regress.NameServer}, {@link smtpd.regress.Maildir} and {@link smtpd.regress.Ctl} are the
 * parts around it.
 *
 * <p>Started by root, the daemon separates privileges as in production and the tests look at that;
 * started by anybody else, what needs root is skipped with that reason. Every process a test starts
 * is ended by its id. Waits are long, because a machine may be busy; no test measures time.
 */
package smtpd.regress;
