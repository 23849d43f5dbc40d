/**
 * The configuration language: text in, one immutable {@link smtpd.conf.Config} out.
 *
 * <p>Called by the parent, which reads the files, and by every other process, which parses the same
 * bytes ({@link smtpd.conf.ConfigBundle}, handed over in a sealed memfd) with the same code and so
 * sees the same model; lka also runs the rules. Calls {@code smtpd.table} only. Apart from the
 * loader and the checker, which the parent runs with its own rights, nothing here touches the
 * system. All problems of a text are collected as {@link smtpd.conf.ConfigError} with file, line,
 * column and cure; a text with an error yields no model, so what is in force stays.
 */
package smtpd.conf;
