package smtpd.mda.deliver;

/** How a delivery ended: what the queue is told and the log line says. */
public sealed interface Verdict {

    /** The word of the log line. */
    String word();

    /** Enhanced status code (RFC 3463). */
    String esc();

    /** Printable text, at most 255 bytes, one line. */
    String text();

    /** In the mailbox, and on the disk. */
    record Delivered(String text) implements Verdict {
        @Override
        public String word() {
            return "Ok";
        }

        @Override
        public String esc() {
            return "2.0.0";
        }
    }

    /** Try again later; the mailbox is as before. */
    record Temporary(String esc, String text, Cause cause) implements Verdict {
        @Override
        public String word() {
            return "TempFail";
        }
    }

    /** Proven to fail for good. */
    record Permanent(String esc, String text) implements Verdict {
        @Override
        public String word() {
            return "PermFail";
        }
    }

    /** The mail has been in this mailbox before. */
    record Looped() implements Verdict {
        @Override
        public String word() {
            return "Loop";
        }

        @Override
        public String esc() {
            return "5.4.6";
        }

        @Override
        public String text() {
            return "Loop detected";
        }
    }

    /** What a temporary failure says about the next deliveries. */
    enum Cause {
        /** Nothing beyond this mail. */
        MAIL,
        /** Disk, quota: the mailbox is full. */
        FULL,
        /** Somebody else holds a lock of the mailbox: tried again within the delivery. */
        LOCKED,
        /** The user's file system is sick: other mails of the user wait a minute. */
        DEVICE,
        /** The content is not what the queue recorded. */
        CONTENT,
        /** Out of threads, processes or descriptors: nothing was tried. */
        RESOURCES,
        /** Ended because the daemon stops: not known, so not told. */
        STOPPED
    }

    Delivered OK = new Delivered("Delivered");

    static Temporary temporary(String esc, String text) {
        return new Temporary(esc, text, Cause.MAIL);
    }
}
