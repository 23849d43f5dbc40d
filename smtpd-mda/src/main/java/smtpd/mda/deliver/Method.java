package smtpd.mda.deliver;

/** The way a mail enters a mailbox, as envelope and action say it; texts are not expanded yet. */
public sealed interface Method {

    /** The word of the configuration language, for logs and counters. */
    String word();

    /**
     * @param path root of the maildir; empty for {@code ~/Maildir}
     * @param junk whether mail marked as spam goes to {@code .Junk}
     */
    record Maildir(Text path, boolean junk) implements Method {
        @Override
        public String word() {
            return "maildir";
        }
    }

    /** The system mailbox of the user. */
    record Mbox() implements Method {
        @Override
        public String word() {
            return "mbox";
        }
    }

    /** Append in mbox format to one file, as the user. */
    record Filename(Text path) implements Method {
        @Override
        public String word() {
            return "filename";
        }
    }

    /**
     * @param text command for {@code /bin/sh -c}
     * @param wrapper command that replaces it, with {@code %{mda}} standing for it; null for none
     */
    record Command(Text text, String wrapper) implements Method {
        @Override
        public String word() {
            return "mda";
        }
    }

    /**
     * @param destination socket path, or {@code host:port}
     * @param rcptTo recipient to name instead of the user; null for the user
     */
    record Lmtp(Text destination, String rcptTo) implements Method {
        @Override
        public String word() {
            return "lmtp";
        }
    }

    /**
     * @param raw whether specifiers are still to be expanded. What an old queue expanded already is
     *     used byte for byte: an address in it may contain <code>%{</code>
     */
    record Text(String value, boolean raw) {
        public static final Text NONE = new Text("", false);

        public static Text raw(String value) {
            return new Text(value, true);
        }
    }
}
