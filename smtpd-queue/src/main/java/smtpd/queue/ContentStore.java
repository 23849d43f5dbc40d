package smtpd.queue;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import smtpd.envelope.Msgid;
import smtpd.imsg.Content;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.ContentLoad;

/**
 * Small content that was just committed and will be handed over within milliseconds: at most 64
 * MiB, oldest out first; everything else is read from the store.
 */
public final class ContentStore {

    private static final long MAX_BYTES = 64L << 20;

    /** What asking for content gave. */
    public sealed interface Found permits Found.Bytes, Found.File, Found.Missing {
        record Bytes(Content content) implements Found {}

        /** A descriptor, owned by the receiver. */
        record File(int fd) implements Found {}

        record Missing(String cause) implements Found {}
    }

    private final QueueBackend backend;
    private final OnLoop onLoop;
    private final LinkedHashMap<Msgid, Content> recent = new LinkedHashMap<>();
    private long bytes;

    ContentStore(QueueBackend backend, OnLoop onLoop) {
        this.backend = backend;
        this.onLoop = onLoop;
    }

    void put(Msgid msgid, Content content) {
        if (recent.put(msgid, content) == null) {
            bytes += content.length();
        }
        for (Iterator<Map.Entry<Msgid, Content>> oldest = recent.entrySet().iterator();
                bytes > MAX_BYTES && oldest.hasNext(); ) {
            bytes -= oldest.next().getValue().length();
            oldest.remove();
        }
    }

    /** No envelope of it is alive, or it will not be needed soon. */
    public void drop(Msgid msgid) {
        Content old = recent.remove(msgid);
        if (old != null) {
            bytes -= old.length();
        }
    }

    /** From memory in the same turn, else from the store. */
    public void get(Msgid msgid, Consumer<Found> then) {
        Content at = recent.get(msgid);
        if (at != null) {
            then.accept(new Found.Bytes(at));
            return;
        }
        onLoop.run(
                backend.content(msgid),
                load ->
                        then.accept(
                                switch (load) {
                                    case ContentLoad.Bytes b ->
                                            new Found.Bytes(Content.of(b.bytes()));
                                    case ContentLoad.Open o -> new Found.File(o.fd());
                                    case ContentLoad.Absent _ ->
                                            new Found.Missing("the content is missing");
                                    case ContentLoad.Unreadable u -> new Found.Missing(u.cause());
                                }));
    }

    long bytes() {
        return bytes;
    }
}
