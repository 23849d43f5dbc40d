/**
 * Tables: the named lists and mappings of the configuration, and how their entries match.
 *
 * <p>Called by the configuration checker (parent, every process at start), by the rule engine and
 * by lka, which owns the tables at run time; calls nothing. No I/O: whoever may open a table file
 * hands its bytes in. A look-up answers found, not found or failed; failed is always temporary for
 * mail. A file that does not parse yields messages with its line and no table at all, so that the
 * content in force stays.
 */
package smtpd.table;
