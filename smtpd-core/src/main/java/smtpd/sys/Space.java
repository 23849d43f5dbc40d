package smtpd.sys;

/**
 * Room on a file system, statvfs(3).
 *
 * @param freeBytes what an unprivileged user may still take
 */
public record Space(
        long totalBytes, long freeBytes, long totalInodes, long freeInodes, boolean isReadOnly) {}
