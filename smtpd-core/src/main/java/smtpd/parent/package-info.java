/**
 * The parent: reads the configuration, binds ports, makes the spool folders, spawns the eight
 * children restricted, joins them with socket pairs, watches them and starts the dead anew, and
 * opens {@code ~/.forward}.
 *
 * <p>Runs as root (or as a plain user, and then everything does). It sees no mail content, asks no
 * DNS and decides nothing but what it must bind and open. A child that dies is restarted alone; one
 * that dies five times a minute ends the daemon in order, with the reason logged and status 1.
 * Errors before the children run go to the terminal, with file and line where there is one.
 */
package smtpd.parent;
