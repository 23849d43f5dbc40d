/**
 * Which rule of the configuration decides about a recipient.
 *
 * <p>Called by the expander, once for the recipient given at RCPT and again for each address that
 * an alias or a {@code .forward} produces; calls the tables. Runs in the lka process as {@code
 * _smtpd}, on its event loop, in memory only. The first rule whose conditions all hold decides;
 * none means refused, so that no configuration makes an open relay by leaving something out. A
 * table that cannot answer ends the evaluation with a temporary refusal, negated condition or not.
 */
package smtpd.lka.rule;
