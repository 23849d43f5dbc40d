package smtpd.mta;

import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.MtaToQueue;
import smtpd.imsg.Outcome;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.mta.route.Message;
import smtpd.mta.route.Relays;
import smtpd.mta.session.Content;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;
import smtpd.proc.Edge;
import smtpd.sys.Fd;

/**
 * The messages in our hands and their contents: inline bytes, a descriptor, or still with the
 * queue. What is given up is reported, gathered per turn, so that the queue's credit comes back.
 */
final class Contents {

    private static final String UNREADABLE = "451 4.3.0 Could not get message fd";

    /** A message and what the queue counts for it. */
    private static final class Held {
        final Message message;
        SharedFile file;
        long inlineBytes;
        int incarnation;
        boolean loops;

        Held(Message message) {
            this.message = message;
        }
    }

    private final EventLoop loop;
    private final Executor files;
    private final Edge<MtaToQueue> queue;
    private final LongSupplier ids;
    private final Map<Msgid, Held> held = new HashMap<>();
    private Relays relays;
    private int incarnation;
    private int releasedFiles;
    private long releasedBytes;
    private boolean reporting;

    Contents(EventLoop loop, Executor files, Edge<MtaToQueue> queue, LongSupplier ids) {
        this.loop = loop;
        this.files = files;
        this.queue = queue;
        this.ids = ids;
    }

    void relays(Relays to) {
        relays = to;
    }

    /** The message of a hand-over, with its content if that came along. */
    Message take(QueueToAgent.Transfer transfer, int fd) {
        Held entry =
                held.computeIfAbsent(
                        transfer.msgid(),
                        id -> new Held(new Message(id, transfer.size(), transfer.lines())));
        give(entry, transfer.form(), transfer.content(), fd);
        return entry.message;
    }

    /** Takes what came; a second copy of what is here is given back at once. */
    private void give(Held entry, ContentForm form, smtpd.imsg.Content inline, int fd) {
        boolean wanted = entry.message.content() == null && entry.file == null;
        switch (form) {
            case INLINE -> {
                Fd.closeQuietly(fd);
                if (!wanted) {
                    report(0, inline.length());
                    return;
                }
                entry.inlineBytes = inline.length();
                entry.incarnation = incarnation;
                entry.message.content(
                        new Content.InMemory(inline.array(), inline.offset(), inline.length()));
            }
            case DESCRIPTOR -> {
                if (fd < 0 || !wanted) {
                    Fd.closeQuietly(fd);
                    report(fd < 0 ? 0 : 1, 0);
                    return;
                }
                entry.file = new SharedFile(fd);
                entry.incarnation = incarnation;
                entry.message.expected();
                check(entry, new Content.OnDisk(entry.file, entry.message.size()));
            }
            case KNOWN, ASK -> Fd.closeQuietly(fd);
        }
    }

    /** Looks for a loop off this loop; only then sessions may have the content. */
    private void check(Held entry, Content.OnDisk disk) {
        files.execute(
                () -> {
                    boolean loops = isLoop(disk);
                    loop.execute(() -> checked(entry, disk, loops));
                });
    }

    private void checked(Held entry, Content.OnDisk disk, boolean loops) {
        if (held.get(entry.message.id()) != entry) {
            return;
        }
        entry.message.content(disk);
        entry.loops = loops;
        if (loops) {
            relays.contentUnusable(entry.message, Result.LOOP);
        } else {
            relays.contentArrived(entry.message);
        }
    }

    /** After its envelopes are in tasks: a loop is found before anything is sent. */
    void checkHops(Message message) {
        Held entry = held.get(message.id());
        boolean known = entry != null && entry.loops;
        if (known
                || (message.content() instanceof Content.InMemory memory
                        && HopCount.isLoop(memory.array(), memory.offset(), memory.length()))) {
            relays.contentUnusable(message, Result.LOOP);
        }
    }

    private static boolean isLoop(Content.OnDisk disk) {
        byte[] header = new byte[(int) Math.min(disk.size(), HopCount.MAX_HEADER)];
        try {
            int length = disk.source().read(0, header);
            return HopCount.isLoop(header, 0, length);
        } catch (IOException e) {
            return false;
        }
    }

    void want(Message message) {
        queue.send(ids.getAsLong(), new AgentToQueue.OpenMessage(message.id()));
    }

    void arrived(QueueToAgent.MessageFile file, int fd) {
        Held entry = held.get(file.msgid());
        if (entry == null) {
            Fd.closeQuietly(fd);
            report(fd >= 0 ? 1 : 0, file.content().length());
            return;
        }
        if (!(file.outcome() instanceof Outcome.Ok)) {
            Fd.closeQuietly(fd);
            relays.contentUnusable(
                    entry.message, Result.deferred(Reason.LOCAL_TEMPFAIL, UNREADABLE));
            return;
        }
        give(entry, file.form(), file.content(), fd);
        if (entry.message.content() == null && entry.file == null) {
            relays.contentUnusable(
                    entry.message, Result.deferred(Reason.LOCAL_TEMPFAIL, UNREADABLE));
            return;
        }
        checkHops(entry.message);
        if (entry.message.content() != null) {
            relays.contentArrived(entry.message);
        }
    }

    /** No task of it is left. */
    void done(Message message) {
        Held entry = held.remove(message.id());
        if (entry == null) {
            return;
        }
        if (entry.file != null) {
            entry.file.close();
        }
        if (entry.incarnation == incarnation) {
            report(entry.file == null ? 0 : 1, entry.inlineBytes);
        }
    }

    /** A hand-over of which nothing was kept. */
    void drop(Message message) {
        if (message.isDone()) {
            done(message);
        }
    }

    private void report(int descriptors, long bytes) {
        releasedFiles += descriptors;
        releasedBytes += bytes;
        if (!reporting && (releasedFiles > 0 || releasedBytes > 0)) {
            reporting = true;
            loop.execute(this::tell);
        }
    }

    private void tell() {
        reporting = false;
        if (releasedFiles > 0 || releasedBytes > 0) {
            queue.send(0, new AgentToQueue.ContentReleased(releasedFiles, releasedBytes));
        }
        releasedFiles = 0;
        releasedBytes = 0;
    }

    /** A new queue counts from its full credit: what we hold of the old one is not its. */
    void lost() {
        incarnation++;
        releasedFiles = 0;
        releasedBytes = 0;
    }

    void joined() {
        for (Held entry : held.values()) {
            if (entry.file == null && entry.message.content() == null && entry.message.isWanted()) {
                want(entry.message);
            }
        }
    }

    List<Evpid> inFlight() {
        List<Evpid> all = new ArrayList<>();
        held.values().forEach(entry -> entry.message.addTo(all));
        return all;
    }
}
