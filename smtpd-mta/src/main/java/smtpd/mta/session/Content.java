package smtpd.mta.session;

import java.io.IOException;

/** The stored bytes of a mail, lines ended by LF, in memory or in a file. */
public sealed interface Content permits Content.InMemory, Content.OnDisk {

    /** Number of bytes as stored. */
    long size();

    /** Content that came inside the hand-over; the array is not changed by anybody. */
    record InMemory(byte[] array, int offset, int length) implements Content {
        @Override
        public long size() {
            return length;
        }
    }

    /** Content behind a descriptor, read at a session's own offset, on the content executor. */
    record OnDisk(Source source, long size) implements Content {}

    /** Positional reads: several sessions may read one source at the same time. */
    interface Source {
        /**
         * Fills as much of the array as it can.
         *
         * @return bytes read; less than the array only at the end
         */
        int read(long position, byte[] into) throws IOException;
    }
}
