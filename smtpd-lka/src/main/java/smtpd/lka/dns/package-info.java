/**
 * Questions to the DNS: mail exchangers, addresses, reverse names.
 *
 * <p>Called by {@code LkaProcess} for smtp, mta and mda; calls the name servers of the
 * configuration (else of {@code resolv.conf}) through dnsjava, which sends each question from a
 * socket of its own with a random port and id. Runs in the lka process as {@code _smtpd}; its
 * sandbox lets it reach port 53 alone. All state belongs to the event loop and no method waits.
 * What cannot be answered is {@code RETRY}, never "no such name": only the name server's own clear
 * word makes a permanent failure. Questions in flight, answers kept and records used are bounded.
 */
package smtpd.lka.dns;
