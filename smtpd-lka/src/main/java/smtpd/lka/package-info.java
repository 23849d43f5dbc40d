/**
 * The lookup process: recipients, rules, tables, users, the DNS.
 *
 * <p>Asked by smtp (may this recipient come in?), queue (who gets a failure report?), mta (where
 * does a domain's mail go?), mda (who is this user?) and control (read a table again). Asks the
 * parent to open {@code ~/.forward}, and hands finished envelopes to the queue itself, so that the
 * process that faces the Internet cannot make one up. Runs as {@code _smtpd}; may read table files
 * and {@code /etc}, and reach name servers. One event loop owns all state; user database, disk and
 * table files are read on executors. Restarted alone when it dies: what it was asked ends as a
 * temporary refusal at the askers.
 */
package smtpd.lka;
