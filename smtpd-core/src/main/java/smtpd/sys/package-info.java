/**
 * The operating system: libc through {@code java.lang.foreign}, one small class per concept, each
 * call named after its man page.
 *
 * <p>Called by every process and by the parent; calls nothing but libc and the kernel. Works with
 * whatever privilege the calling thread has and never raises it: {@link smtpd.sys.Identity} speaks
 * for the whole process, {@link smtpd.sys.ThreadIdentity} for one thread. Descriptors are plain
 * {@code int}s that the caller owns and closes.
 *
 * <p>A call that fails throws {@link smtpd.sys.SysException}, which names call, subject and errno;
 * the variants called {@code try...} return {@code -errno} instead, for paths where a failure is
 * ordinary. What an older kernel lacks of the sandbox ({@link smtpd.sys.Landlock}, {@link
 * smtpd.sys.Seccomp}) is reported as text to log once and is never fatal.
 */
package smtpd.sys;
