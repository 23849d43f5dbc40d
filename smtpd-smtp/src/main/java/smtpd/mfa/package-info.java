/**
 * Mail filters: chains of filter programs that smtp asks about each phase of a session.
 *
 * <p>Runs in the mfa process as {@code _smtpd}; the parent starts the programs, this process holds
 * their pipes and owns the talk with them. A configuration without filters leaves it idle: smtp
 * never asks it then, so that no hop is made that is not needed.
 *
 * <p>Called by smtp; calls lka for tables and names. When it dies, the phases that were asked get
 * the policy of their filter, 451 by default, and sessions go on.
 */
package smtpd.mfa;
