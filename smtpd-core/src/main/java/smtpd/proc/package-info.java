/**
 * The life of a process of the daemon: its first steps, its event loop, the edges to its peers, and
 * how it stops.
 *
 * <p>Runs in every child (the parent uses {@link smtpd.proc.Link} alone), with the privilege of
 * that child. Each process class extends {@link smtpd.proc.ChildProcess}; this package calls {@code
 * smtpd.imsg} for frames and {@code smtpd.sys} for descriptors. A peer that sends nonsense costs
 * its edge, and the parent restarts that peer; an impossible state inside a process is logged and
 * ends it, and the parent restarts it; end of file from the parent ends it at once.
 */
package smtpd.proc;
