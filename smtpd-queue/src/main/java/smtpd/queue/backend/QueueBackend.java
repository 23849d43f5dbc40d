package smtpd.queue.backend;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/**
 * A store of messages and envelopes. Every method but {@link #open} and {@link #close} may be
 * called from the queue's event loop and returns within 50 microseconds; stages complete on any
 * thread, exactly once, never under a lock. Operations on one message take effect in call order;
 * between messages no order is promised. After {@link #close} everything is temporary.
 */
public interface QueueBackend extends AutoCloseable {

    Capabilities capabilities();

    /**
     * Prepares the store; may block.
     *
     * @param events told from any thread
     * @throws BackendException with a text for the operator
     */
    void open(BackendEvents events) throws BackendException;

    /** True when nothing of this id is stored or under way here; used to draw fresh ids. */
    boolean isFree(Msgid id);

    /**
     * A file for content that does not come in a frame.
     *
     * @return completes with {@link ContentFile.Opened} or {@link ContentFile.Failed}
     */
    CompletionStage<ContentFile> newContent(Msgid id);

    /**
     * All or nothing across content, texts and deletions; completes when durable. A commit without
     * content adds texts to an existing message; a text whose id exists replaces it. With content
     * it is idempotent by message id.
     */
    CompletionStage<Stored> commit(Commit commit);

    /** Replaces a text atomically; {@code Absent} when there is none, and then nothing is made. */
    CompletionStage<Stored> update(Text text);

    /** Deleting what is absent is success; with the last text of a message its content goes. */
    CompletionStage<Stored> delete(List<Evpid> ids);

    CompletionStage<Load> load(Evpid id);

    CompletionStage<ContentLoad> content(Msgid id);

    /** Sets one bad file aside; {@link Evpid#ofMessage} = all of the message. */
    CompletionStage<Stored> quarantine(Evpid id, String reason);

    /** Brings back what was set aside and can be read now. */
    CompletionStage<Restored> restore(Msgid id);

    /** Whether a commit was made durable before a restart; synced first when it is found. */
    CompletionStage<CommitState> state(Msgid id);

    /** A walk over everything stored; each entry at most once. */
    Walk walk();

    /** Everything stored of one message, read anew. */
    CompletionStage<List<Entry>> discover(Msgid id);

    /** Everything durable and, where files are kept, in plain files. */
    CompletionStage<Stored> settle(Duration limit);

    /** These messages in plain files now; nothing to do where nothing is late. */
    CompletionStage<Stored> materialise(List<Msgid> ids);

    /** Never blocks. */
    Health health();

    /** Lines for {@code show problems}. Never blocks. */
    List<String> problems();

    /** Settles, then releases; may block. */
    @Override
    void close();

    /**
     * What a store can do.
     *
     * @param durable a completed commit survives a power cut
     * @param walkable {@link #walk} finds what was stored before this process began
     * @param maxInline content up to this size is handed out as bytes, above as a descriptor
     */
    record Capabilities(boolean durable, boolean walkable, int maxInline) {}

    /**
     * Text of one envelope.
     *
     * @param bytes final: what lies in storage
     */
    record Text(Evpid id, byte[] bytes) {}

    /**
     * What becomes durable together.
     *
     * @param content null adds to an existing message
     * @param deletes of any message
     */
    record Commit(Msgid id, NewContent content, List<Text> texts, List<Evpid> deletes) {}

    /** Content of a new message. */
    sealed interface NewContent permits NewContent.Memory, NewContent.InFile {

        /**
         * Content that came in a frame.
         *
         * @param array not changed by anybody any more
         */
        record Memory(byte[] array, int offset, int length) implements NewContent {}

        /**
         * Content that was written into the file of {@link QueueBackend#newContent}. The backend
         * checks it against these facts.
         */
        record InFile(ContentFile.Opened file, long size, int crc32c, long lines)
                implements NewContent {}
    }

    /** How an operation ended. */
    sealed interface Stored permits Stored.Ok, Stored.Absent, Stored.Temporary {
        record Ok() implements Stored {}

        record Absent() implements Stored {}

        /**
         * Not now.
         *
         * @param full no room: space, inodes or quota
         */
        record Temporary(String cause, Duration retryAfter, boolean full) implements Stored {}
    }

    /** What loading an envelope gave. */
    sealed interface Load permits Load.Found, Load.Absent, Load.Unreadable {
        record Found(byte[] bytes) implements Load {}

        record Absent() implements Load {}

        record Unreadable(String cause) implements Load {}
    }

    /** What asking for content gave. */
    sealed interface ContentLoad
            permits ContentLoad.Bytes,
                    ContentLoad.Open,
                    ContentLoad.Absent,
                    ContentLoad.Unreadable {
        record Bytes(byte[] bytes) implements ContentLoad {}

        /** A new read-only descriptor at offset 0, owned by the receiver. */
        record Open(int fd, long size) implements ContentLoad {}

        record Absent() implements ContentLoad {}

        record Unreadable(String cause) implements ContentLoad {}
    }

    enum CommitState {
        DURABLE,
        UNKNOWN
    }

    /** One envelope met by a walk. */
    record Entry(Evpid id, byte[] text) {}

    /**
     * What restoring did.
     *
     * @param restored envelopes brought back
     * @param refused one line for each file that still cannot be read
     */
    record Restored(int restored, List<String> refused) {}

    /**
     * State of the store.
     *
     * @param freeBytes -1 = not known
     * @param freeInodes -1 = not known
     * @param accepting new mail can be stored
     * @param reason why not, a word of {@code StateNote}; empty when accepting
     */
    record Health(long freeBytes, long freeInodes, boolean accepting, String reason) {}

    /** A walk in progress. */
    interface Walk extends AutoCloseable {

        /** The next entries, whole messages, at most about {@code max}; empty = the end. */
        CompletionStage<List<Entry>> next(int max);

        @Override
        void close();
    }

    /** What a store tells by itself. */
    interface BackendEvents {

        /** {@link Health#accepting} changed. */
        void healthChanged();

        /** One event for the log, {@code key=value}. */
        void problem(String line);

        /** A step of a commit, update or removal is done; for tests that die at a given one. */
        default void passed(String killPoint) {}
    }
}
