package smtpd.queue.backend;

import java.nio.file.Path;

/**
 * Where and how files are stored.
 *
 * @param root the spool folder
 * @param sync how commits become durable
 * @param writers threads that write
 * @param readers threads that read
 * @param minFreePercent less space or inodes than this is "full"
 * @param minFreeBytes less space than this is "full"
 */
public record SpoolConfig(
        Path root, SyncMode sync, int writers, int readers, int minFreePercent, long minFreeBytes) {

    public SpoolConfig {
        if (writers < 1 || readers < 1) {
            throw new IllegalArgumentException("at least one writer and one reader");
        }
    }

    /** A group shares its sync among those who write at the time, so it wants more writers. */
    public static SpoolConfig of(Path root, SyncMode sync) {
        return new SpoolConfig(root, sync, sync == SyncMode.GROUP ? 64 : 32, 16, 5, 0);
    }
}
