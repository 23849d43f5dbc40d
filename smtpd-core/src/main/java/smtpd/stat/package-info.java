/**
 * Counters: one enum of all of them, and the cells of one process. Every process counts on its
 * event loop and tells control once a second what changed; control adds up. Nothing here fails.
 */
package smtpd.stat;
