package smtpd.mda;

import io.netty.channel.EventLoop;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.MdaToQueue;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.Role;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.proc.IdSource;
import smtpd.proc.Pending;
import smtpd.stat.Stat;
import smtpd.stat.Stats;
import smtpd.sys.Fd;

/** The messages with envelopes here: their content comes, is asked for, and is given back. */
final class Messages {

    private static final long OPEN_MILLIS = 120_000;

    /** Who is told about content that was asked for. */
    interface Events {
        void here(Delivery delivery);

        void missing(List<Delivery> deliveries);
    }

    private final IdSource ids;
    private final Stats stats;
    private final Edge<MdaToQueue> queue;
    private final Events events;
    private final Map<Msgid, HeldMessage> messages = new HashMap<>();
    private final Pending<HeldMessage> openings;
    private int queueIncarnation;

    Messages(EventLoop loop, IdSource ids, Stats stats, Edge<MdaToQueue> queue, Events events) {
        this.ids = ids;
        this.stats = stats;
        this.queue = queue;
        this.events = events;
        this.openings = new Pending<>(loop, this::openTimedOut);
    }

    /** A queue joined that knows nothing of what an earlier one lent us. */
    void newQueue() {
        queueIncarnation++;
    }

    void queueLost() {
        openings.lost(Role.QUEUE).forEach(m -> m.asked(false));
    }

    /** Asks anew for what is waited for. */
    void openAgain() {
        messages.values().stream()
                .filter(m -> m.isAwaited() && !m.isAsked())
                .toList()
                .forEach(this::open);
    }

    /** A hand-over came: its message, in use until the caller leaves it. */
    HeldMessage arrived(QueueToAgent.Transfer m, int fd) {
        HeldMessage message = messages.get(m.msgid());
        if (message == null) {
            message = new HeldMessage(m.msgid(), m.size(), m.crc32c());
        }
        takeContent(message, m.form(), m.content(), fd);
        message.use();
        messages.put(m.msgid(), message);
        return message;
    }

    private void takeContent(
            HeldMessage message, QueueToAgent.ContentForm form, smtpd.imsg.Content inline, int fd) {
        boolean carries =
                form == QueueToAgent.ContentForm.INLINE
                        || form == QueueToAgent.ContentForm.DESCRIPTOR;
        if (carries && message.isHere()) {
            // Twice the same: the second goes back at once.
            Fd.closeQuietly(fd);
            giveBack(fd >= 0 ? 1 : 0, fd >= 0 ? 0 : inline.length());
        } else if (form == QueueToAgent.ContentForm.INLINE) {
            message.take(inline, queueIncarnation);
        } else if (form == QueueToAgent.ContentForm.DESCRIPTOR && fd >= 0) {
            message.take(fd, queueIncarnation);
        }
    }

    /** Asks the queue for the content. */
    void open(HeldMessage message) {
        long id = ids.next();
        if (queue.send(id, new AgentToQueue.OpenMessage(message.msgid()))) {
            message.asked(true);
            openings.add(id, OPEN_MILLIS, EnumSet.of(Role.QUEUE), message);
        }
    }

    private void openTimedOut(HeldMessage message) {
        stats.increment(Stat.IMSG_TIMEOUT);
        noContent(message);
    }

    private void noContent(HeldMessage message) {
        message.asked(false);
        events.missing(message.takeWaiting());
    }

    void opened(Frame frame, QueueToAgent.MessageFile m) {
        HeldMessage message = openings.take(frame.id());
        boolean inline = m.form() == QueueToAgent.ContentForm.INLINE;
        if (message == null) {
            Fd.closeQuietly(frame.fd());
            stats.increment(Stat.IMSG_LATE);
            if (m.outcome().isOk()) {
                giveBack(frame.fd() >= 0 ? 1 : 0, inline ? m.content().length() : 0);
            }
            return;
        }
        if (!m.outcome().isOk() || (!inline && frame.fd() < 0)) {
            noContent(message);
            return;
        }
        takeContent(message, m.form(), m.content(), frame.fd());
        message.asked(false);
        message.takeWaiting().forEach(events::here);
    }

    /** One less needs it; the last one's leaving gives the content back. */
    void leave(HeldMessage message) {
        if (!message.leave()) {
            return;
        }
        messages.remove(message.msgid(), message);
        if (message.isHere() && message.generation() == queueIncarnation) {
            boolean file = message.isDescriptor();
            giveBack(file ? 1 : 0, file ? 0 : message.content().size());
        }
        message.close();
    }

    private void giveBack(int descriptors, long bytes) {
        if (descriptors > 0 || bytes > 0) {
            queue.send(0, new AgentToQueue.ContentReleased(descriptors, bytes));
        }
    }
}
