package smtpd.queue.backend;

import java.time.Duration;

/** Numbers that all backends share. */
public final class Limits {

    /** 128 KiB of plain content and what compression and encryption may add to it. */
    public static final int MAX_INLINE = 132 * 1024;

    /** Longest envelope text on disk. */
    public static final int MAX_TEXT = 64 * 1024;

    /** More unfinished commits than this are refused at once. */
    public static final int MAX_COMMITS = 4096;

    /** More bytes of unfinished commits than this are refused at once. */
    public static final long MAX_COMMIT_BYTES = 64L << 20;

    /** How long a storage that failed is left alone. */
    public static final Duration RETRY = Duration.ofSeconds(5);

    private Limits() {}
}
