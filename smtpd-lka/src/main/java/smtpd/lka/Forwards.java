package smtpd.lka;

import io.netty.channel.EventLoop;
import java.util.EnumSet;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.imsg.LkaToParent;
import smtpd.imsg.LkaToParent.OpenForward;
import smtpd.imsg.ParentToLka.ForwardFile;
import smtpd.imsg.ParentToLka.ForwardStatus;
import smtpd.imsg.Role;
import smtpd.lka.expand.Expander;
import smtpd.lka.expand.ForwardAnswer;
import smtpd.lka.table.UserAnswer;
import smtpd.log.LogLine;
import smtpd.proc.Edge;
import smtpd.proc.Frame;
import smtpd.proc.IdSource;
import smtpd.proc.Pending;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * The parent opens {@code ~/.forward} for us; we read it, off the loop, since a home may be far
 * away.
 */
final class Forwards {

    private static final Logger LOG = LoggerFactory.getLogger(Forwards.class);
    private static final long TIMEOUT_MILLIS = 10_000;

    private final Edge<LkaToParent> parent;
    private final IdSource ids;
    private final Executor disk;
    private final EventLoop loop;
    private final Pending<Waiting> pending;

    private record Waiting(String user, Consumer<ForwardAnswer> then) {}

    Forwards(Edge<LkaToParent> parent, IdSource ids, Executor disk, EventLoop loop) {
        this.parent = parent;
        this.ids = ids;
        this.disk = disk;
        this.loop = loop;
        this.pending =
                new Pending<>(loop, w -> w.then.accept(new ForwardAnswer.Unusable("no answer")));
    }

    void open(UserAnswer.Found user, Consumer<ForwardAnswer> then) {
        long id = ids.next();
        OpenForward question = new OpenForward(user.name(), user.uid(), user.gid(), user.home());
        if (parent.send(id, question)) {
            pending.add(
                    id, TIMEOUT_MILLIS, EnumSet.of(Role.PARENT), new Waiting(user.name(), then));
        } else {
            then.accept(new ForwardAnswer.Unusable("parent is away"));
        }
    }

    /** Takes the answer; the descriptor of one nobody waits for is closed. */
    boolean answered(Frame frame, ForwardFile file) {
        Waiting waiting = pending.take(frame.id());
        if (waiting == null) {
            Fd.closeQuietly(frame.fd());
            return false;
        }
        if (file.status() != ForwardStatus.OPEN || frame.fd() < 0) {
            Fd.closeQuietly(frame.fd());
            waiting.then.accept(unopened(waiting.user, file));
            return true;
        }
        try {
            disk.execute(
                    () -> {
                        ForwardAnswer answer = read(frame.fd());
                        loop.execute(() -> waiting.then.accept(answer));
                    });
        } catch (RejectedExecutionException e) {
            Fd.closeQuietly(frame.fd());
            waiting.then.accept(new ForwardAnswer.Unusable("too many files to read"));
        }
        return true;
    }

    private static ForwardAnswer unopened(String user, ForwardFile file) {
        if (file.status() == ForwardStatus.NONE) {
            return new ForwardAnswer.None();
        }
        String result = file.status() == ForwardStatus.UNSAFE ? "unsafe" : "temporary";
        LogLine.of("lka", "forward")
                .add("user", user)
                .add("result", result)
                .add("why", file.reason())
                .info(LOG);
        return new ForwardAnswer.Unusable(result + ": " + file.reason());
    }

    /** Reads one byte more than is allowed, no further. */
    private static ForwardAnswer read(int fd) {
        try {
            byte[] buffer = new byte[Expander.MAX_FORWARD_BYTES];
            int length = 0;
            int n = 1;
            while (n > 0 && length < buffer.length) {
                n = Fd.pread(fd, buffer, length, buffer.length - length, length);
                length += Math.max(0, n);
            }
            return new ForwardAnswer.Content(java.util.Arrays.copyOf(buffer, length));
        } catch (SysException e) {
            return new ForwardAnswer.Unusable(String.valueOf(e.getMessage()));
        } finally {
            Fd.closeQuietly(fd);
        }
    }
}
