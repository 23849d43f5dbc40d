package smtpd.imsg;

/**
 * The 20 bytes in front of each frame, big endian: length u32, type u16, flags u16, peer u32, id
 * u64.
 */
public final class FrameHeader {

    /** Bytes of the header; the length counts it. */
    public static final int SIZE = 20;

    /** Most bytes of a frame where no content rides. */
    public static final int CAP = 65_536;

    /** Most bytes of a frame on smtp to queue, queue to mta and mda. */
    public static final int CONTENT_CAP = 262_144;

    /** A descriptor belongs to it; its inode (u64) stands first in the body. */
    public static final int DESCRIPTOR = 1;

    /** More parts of this message follow. */
    public static final int MORE = 2;

    public static final int TRACED = 4;

    static final int KNOWN_FLAGS = DESCRIPTOR | MORE | TRACED;

    private FrameHeader() {}
}
