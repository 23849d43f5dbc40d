package smtpd.conf;

/**
 * How the queue stores.
 *
 * @param inlineContentBytes content up to this size travels inside frames; 0: never
 * @param cacheBytes envelope cache; 0: off
 * @param space what must stay free
 */
public record QueueSettings(
        Backend backend, Sync sync, long inlineContentBytes, long cacheBytes, Space space) {

    public static final QueueSettings DEFAULT =
            new QueueSettings(Backend.FS, Sync.FILE, 128 << 10, 16 << 20, new Space.Percent(5));

    QueueSettings withBackend(Backend other) {
        return new QueueSettings(other, sync, inlineContentBytes, cacheBytes, space);
    }

    QueueSettings withSync(Sync other) {
        return new QueueSettings(backend, other, inlineContentBytes, cacheBytes, space);
    }

    QueueSettings withInlineContent(long bytes) {
        return new QueueSettings(backend, sync, bytes, cacheBytes, space);
    }

    QueueSettings withCache(long bytes) {
        return new QueueSettings(backend, sync, inlineContentBytes, bytes, space);
    }

    QueueSettings withSpace(Space other) {
        return new QueueSettings(backend, sync, inlineContentBytes, cacheBytes, other);
    }

    /** Where messages lie. */
    public enum Backend {
        FS,
        LOG,
        RAM,
        NULL
    }

    /** How a commit becomes durable; only for {@link Backend#FS}. */
    public enum Sync {
        JOURNAL,
        GROUP,
        FILE,
        NONE
    }

    /** Room that mail must leave on the disk of the spool. */
    public sealed interface Space {

        /** Percent of the blocks, and of the inodes. */
        record Percent(int percent) implements Space {}

        record Bytes(long bytes) implements Space {}
    }
}
