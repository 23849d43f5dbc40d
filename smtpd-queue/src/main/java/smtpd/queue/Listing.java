package smtpd.queue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import smtpd.envelope.Msgid;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.Content;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.QueueToControl;
import smtpd.imsg.QueueToControl.EnvelopeRow;
import smtpd.imsg.SchedulerToQueue;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.ContentLoad;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/** What an operator asks of the store. Rows are data; smtpctl formats all lines. */
final class Listing {

    private static final int PIECE = 32 << 10;

    /** Rows of a frame: 256 texts of 16 KiB would pass the cap. */
    private static final int MAX_ROW_BYTES = 48 << 10;

    private static final int MAX_TEXT = 500;

    private static final Duration FLUSH_LIMIT = Duration.ofSeconds(30);

    private final QueueBackend backend;
    private final EnvelopeStore envelopes;
    private final Edge<QueueToControl> control;
    private final Edge<ChildToControl> answers;
    private final OnLoop onLoop;

    Listing(
            QueueBackend backend,
            EnvelopeStore envelopes,
            Edge<QueueToControl> control,
            Edge<ChildToControl> answers,
            OnLoop onLoop) {
        this.backend = backend;
        this.envelopes = envelopes;
        this.control = control;
        this.answers = answers;
        this.onLoop = onLoop;
    }

    void done(Frame frame, boolean ok, long count, String text) {
        answers.sendTo(
                frame.peer(), frame.id(), new ChildToControl.ControlDone(ok, count, 0, cut(text)));
    }

    /** What a frame takes, for texts with names of files and causes in them. */
    private static String cut(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
    }

    /** Adds the texts to a page of the scheduler; rows that are gone are skipped. */
    void describe(Frame frame, SchedulerToQueue.DescribeEnvelopes m) {
        new Page(frame, m).load();
    }

    private final class Page {
        private final Frame frame;
        private final SchedulerToQueue.DescribeEnvelopes asked;
        private final EnvelopeRow[] rows;
        private int left;

        Page(Frame frame, SchedulerToQueue.DescribeEnvelopes asked) {
            this.frame = frame;
            this.asked = asked;
            this.rows = new EnvelopeRow[asked.rows().size()];
            this.left = rows.length;
        }

        void load() {
            if (left == 0) {
                send();
                return;
            }
            for (int i = 0; i < rows.length; i++) {
                int at = i;
                SchedulerToQueue.DescribeRow row = asked.rows().get(i);
                envelopes.load(
                        row.evpid(),
                        loaded -> {
                            if (loaded instanceof EnvelopeStore.Loaded.Found f) {
                                rows[at] =
                                        new EnvelopeRow(
                                                row.evpid(),
                                                row.state(),
                                                row.time(),
                                                row.retry(),
                                                row.holdKey(),
                                                f.stored().sendable());
                            }
                            if (--left == 0) {
                                send();
                            }
                        });
            }
        }

        private void send() {
            List<EnvelopeRow> part = new ArrayList<>();
            int bytes = 0;
            long count = 0;
            for (EnvelopeRow row : rows) {
                if (row == null) {
                    continue;
                }
                count++;
                if (!part.isEmpty() && bytes + row.text().length > MAX_ROW_BYTES) {
                    control.sendTo(frame.peer(), frame.id(), new QueueToControl.EnvelopeLine(part));
                    part = new ArrayList<>();
                    bytes = 0;
                }
                part.add(row);
                bytes += row.text().length;
            }
            if (!part.isEmpty()) {
                control.sendTo(frame.peer(), frame.id(), new QueueToControl.EnvelopeLine(part));
            }
            answers.sendTo(
                    frame.peer(),
                    frame.id(),
                    new ChildToControl.ControlDone(true, count, asked.last(), ""));
        }
    }

    // ---- show envelope, show message

    void show(Frame frame, ControlToQueue.ShowMessage m) {
        if (m.what() == ControlToQueue.What.ENVELOPE) {
            envelopes.load(
                    m.id(),
                    loaded -> {
                        switch (loaded) {
                            case EnvelopeStore.Loaded.Found f -> {
                                pieces(frame, Content.of(f.stored().text()));
                                done(frame, true, 1, "");
                            }
                            case EnvelopeStore.Loaded.Absent _ ->
                                    done(frame, false, 0, "no such envelope");
                            case EnvelopeStore.Loaded.Unreadable u ->
                                    done(frame, false, 0, u.cause());
                        }
                    });
            return;
        }
        onLoop.run(
                backend.content(m.id().msgid()),
                content -> {
                    switch (content) {
                        case ContentLoad.Bytes b -> {
                            pieces(frame, Content.of(b.bytes()));
                            done(frame, true, 1, "");
                        }
                        case ContentLoad.Open o -> new Stream(frame, o.fd()).start();
                        case ContentLoad.Absent _ -> done(frame, false, 0, "no such message");
                        case ContentLoad.Unreadable u -> done(frame, false, 0, u.cause());
                    }
                });
    }

    private void pieces(Frame frame, Content content) {
        byte[] bytes = content.toBytes();
        for (int at = 0; at < bytes.length; at += PIECE) {
            byte[] piece =
                    java.util.Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + PIECE));
            control.sendMoreTo(frame.peer(), frame.id(), new QueueToControl.MessageContent(piece));
        }
    }

    /**
     * Large content, read by a thread of its own, never more than a few pieces ahead of control.
     */
    private final class Stream {
        private final Frame frame;
        private final int fd;

        Stream(Frame frame, int fd) {
            this.frame = frame;
            this.fd = fd;
        }

        void start() {
            Thread.ofPlatform().name("show-message").daemon().start(this::read);
        }

        private void read() {
            String failure = "";
            try {
                byte[] buffer = new byte[PIECE];
                long offset = 0;
                int n;
                while ((n = Fd.pread(fd, buffer, 0, buffer.length, offset)) > 0) {
                    byte[] piece = java.util.Arrays.copyOf(buffer, n);
                    offset += n;
                    if (!send(piece)) {
                        failure = "connection lost";
                        break;
                    }
                }
            } catch (SysException e) {
                failure = e.getMessage();
            } finally {
                Fd.closeQuietly(fd);
            }
            String text = failure;
            onLoop.run(
                    java.util.concurrent.CompletableFuture.completedStage(text),
                    t -> done(frame, t.isEmpty(), t.isEmpty() ? 1 : 0, t));
        }

        /** Waits until the loop took the piece, and while control reads slowly. */
        private boolean send(byte[] piece) {
            java.util.concurrent.CompletableFuture<Boolean> sent =
                    new java.util.concurrent.CompletableFuture<>();
            onLoop.run(
                    java.util.concurrent.CompletableFuture.completedStage(piece),
                    p -> offer(p, sent));
            return sent.join();
        }

        private void offer(byte[] piece, java.util.concurrent.CompletableFuture<Boolean> sent) {
            if (control.isUp() && control.isCongested()) {
                java.util.concurrent.CompletableFuture.delayedExecutor(
                                10, java.util.concurrent.TimeUnit.MILLISECONDS)
                        .execute(
                                () ->
                                        onLoop.run(
                                                java.util.concurrent.CompletableFuture
                                                        .completedStage(piece),
                                                p -> offer(p, sent)));
                return;
            }
            sent.complete(
                    control.sendMoreTo(
                            frame.peer(), frame.id(), new QueueToControl.MessageContent(piece)));
        }
    }

    // ---- the rest

    void flush(Frame frame) {
        onLoop.run(
                backend.settle(FLUSH_LIMIT),
                stored -> {
                    boolean ok = stored instanceof QueueBackend.Stored.Ok;
                    done(frame, ok, 0, ok ? "" : stored.toString());
                });
    }

    void restore(Frame frame, Msgid msgid, Runnable discover) {
        onLoop.run(
                backend.restore(msgid),
                restored -> {
                    if (restored.restored() > 0) {
                        discover.run();
                    }
                    rows(frame, restored.refused());
                    done(
                            frame,
                            restored.refused().isEmpty() && restored.restored() > 0,
                            restored.restored(),
                            "");
                });
    }

    void problems(Frame frame) {
        List<String> lines = backend.problems();
        rows(frame, lines);
        done(frame, true, lines.size(), "");
    }

    private void rows(Frame frame, List<String> lines) {
        for (String line : lines) {
            answers.sendTo(
                    frame.peer(),
                    frame.id(),
                    new ChildToControl.ShowRow("problem", List.of(cut(line))));
        }
    }
}
