/**
 * The process that answers {@code smtpctl}: it takes clients on the control socket, passes their
 * requests to the process concerned and the answers back, keeps what an operator switched, and adds
 * up the counters of all.
 *
 * <p>Called by {@code smtpctl} (any user may connect, the kernel says who), the parent and every
 * process; calls every process. Runs as control with the unprivileged service account, or as the
 * user who started a private instance; it opens nothing: the listening socket comes from the
 * parent.
 *
 * <p>One event loop owns everything. What clients send is hostile: a frame that is none closes that
 * client alone. When control dies, clients see the end of the connection, switches are kept by the
 * parent, counters by their processes; no mail waits for it.
 */
package smtpd.control;
