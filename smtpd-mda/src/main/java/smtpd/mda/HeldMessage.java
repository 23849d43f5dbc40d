package smtpd.mda;

import java.util.ArrayList;
import java.util.List;
import smtpd.envelope.Msgid;
import smtpd.mda.deliver.Content;
import smtpd.sys.Fd;

/**
 * The content of one message, shared by its envelopes here: held while one of them is, asked for
 * when a session needs what did not come along.
 */
final class HeldMessage {

    private final Msgid msgid;
    private final long size;
    private final int crc32c;
    private final List<Delivery> waiting = new ArrayList<>();
    private Content content;
    private int users;
    private boolean asked;
    private int generation;

    HeldMessage(Msgid msgid, long size, int crc32c) {
        this.msgid = msgid;
        this.size = size;
        this.crc32c = crc32c;
    }

    Msgid msgid() {
        return msgid;
    }

    /** Null until it is here. */
    Content content() {
        return content;
    }

    boolean isHere() {
        return content != null;
    }

    /** Takes what came in a frame of the queue's incarnation {@code queue}. */
    void take(smtpd.imsg.Content inline, int queue) {
        content = Content.of(inline.array(), inline.offset(), inline.length(), crc32c);
        generation = queue;
        asked = false;
    }

    /** Takes a descriptor, which this closes one day. */
    void take(int fd, int queue) {
        content = Content.of(fd, size, crc32c);
        generation = queue;
        asked = false;
    }

    boolean isAsked() {
        return asked;
    }

    void asked(boolean now) {
        asked = now;
    }

    void await(Delivery delivery) {
        waiting.add(delivery);
    }

    List<Delivery> takeWaiting() {
        List<Delivery> all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }

    boolean isAwaited() {
        return !waiting.isEmpty();
    }

    void use() {
        users++;
    }

    /** True when that was the last one. */
    boolean leave() {
        return --users == 0;
    }

    int generation() {
        return generation;
    }

    boolean isDescriptor() {
        return content != null && content.fd() >= 0;
    }

    void close() {
        if (isDescriptor()) {
            Fd.closeQuietly(content.fd());
        }
        content = null;
    }
}
