package smtpd.queue.fs;

import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** What files are called. */
final class Names {

    static final String CONTENT = "message";
    static final String REASON = "reason.txt";

    private Names() {}

    static String folder(Msgid id) {
        String hex = id.toString();
        return hex.substring(0, 2) + "/" + hex;
    }

    static String content(Msgid id) {
        return folder(id) + "/" + CONTENT;
    }

    static String envelope(Evpid id) {
        return folder(id.msgid()) + "/" + id;
    }

    /** A replacement being written. */
    static String fresh(Evpid id) {
        return "." + id + ".new";
    }

    /** Says that the envelope beside it is delivered and only its removal failed. */
    static String done(Evpid id) {
        return "." + id + ".done";
    }

    /** Ours, but not an envelope. */
    static boolean isLeftover(String name) {
        boolean isNew = name.length() == 21 && name.endsWith(".new");
        boolean isDone = name.length() == 22 && name.endsWith(".done");
        return (isNew || isDone) && name.charAt(0) == '.' && isHex(name, 1, 17);
    }

    static boolean isEnvelope(String name) {
        return name.length() == 16 && isHex(name, 0, 16);
    }

    /** Hex digits of either case. */
    static boolean isHex(String name, int from, int to) {
        for (int i = from; i < to; i++) {
            if (Character.digit(name.charAt(i), 16) < 0 || name.charAt(i) > 'f') {
                return false;
            }
        }
        return true;
    }
}
