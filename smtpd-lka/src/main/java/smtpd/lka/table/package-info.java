/**
 * The tables of a configuration at run time: read from their files, searched, exchanged.
 *
 * <p>Called by {@code LkaProcess}, the rules and the expander; calls the file system, on an
 * executor, when a configuration is offered and when an operator updates a table. Runs in the lka
 * process as {@code _smtpd}, which must be able to read the files. A file with an error yields no
 * table: a new configuration is refused, an update leaves the content in force and tells the
 * operator the line.
 */
package smtpd.lka.table;
