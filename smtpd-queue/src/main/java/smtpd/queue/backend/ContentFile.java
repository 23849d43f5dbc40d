package smtpd.queue.backend;

/** Answer to {@link QueueBackend#newContent}. */
public sealed interface ContentFile permits ContentFile.Opened, ContentFile.Failed {

    /** A file that content is written to. */
    interface Handle {

        /** Forgets the file and what was written. */
        void abort();
    }

    /**
     * A new, empty file.
     *
     * @param fd write-only, passed to the writer; whoever holds this record closes it
     * @param handle the backend's own hold on the file
     */
    record Opened(int fd, Handle handle) implements ContentFile {}

    /**
     * No file now.
     *
     * @param full no room
     */
    record Failed(String cause, boolean full) implements ContentFile {}
}
