/**
 * Values of the mail standards that several processes share: addresses, reply codes. No I/O, no
 * process, no privilege.
 */
package smtpd.mail;
