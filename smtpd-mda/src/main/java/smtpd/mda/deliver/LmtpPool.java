package smtpd.mda.deliver;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import smtpd.sys.Fd;
import smtpd.sys.Poll;
import smtpd.sys.Sockets;
import smtpd.sys.SysException;

/**
 * LMTP deliveries, with connections kept for two seconds: the next mail for the same destination
 * (and the same user, on a Unix socket, which the user connects) takes one, at most 100 mails each.
 */
final class LmtpPool {

    private static final long IDLE_NANOS = 2_000_000_000L;
    private static final int MAILS = 100;
    private static final int MAX_IDLE = 32;
    private static final int MAX_ADDRESSES = 8;
    private static final int CONNECT_MILLIS = 30_000;

    private final String serverName;
    // Session threads share it: the lock guards the map.
    private final Map<String, Deque<Idle>> idle = new HashMap<>();
    private int idleCount;

    LmtpPool(String serverName) {
        this.serverName = serverName;
    }

    private record Idle(LmtpClient client, int mails, long since) {}

    Verdict deliver(
            Job job,
            String destination,
            String rcptTo,
            Content content,
            List<InetSocketAddress> hosts,
            Rights.Recipient recipient,
            CopyBuffer copy,
            long deadline)
            throws InterruptedException {
        boolean unix = destination.startsWith("/");
        String key = unix ? job.runAs().uid() + destination : destination;
        Idle kept = take(key);
        LmtpClient client;
        int mails = 0;
        if (kept != null) {
            client = kept.client.again(deadline);
            mails = kept.mails;
        } else {
            Object opened =
                    unix
                            ? connectAs(job, destination, recipient, deadline)
                            : connect(hosts, deadline);
            if (opened instanceof Verdict refused) {
                return refused;
            }
            client = new LmtpClient((LmtpWire) opened, deadline);
            Verdict refused = client.greet(serverName);
            if (refused != null) {
                client.wire().close();
                return refused;
            }
        }
        Verdict verdict = client.deliver(job, rcptTo, content, copy);
        if (verdict instanceof Verdict.Delivered && mails + 1 < MAILS) {
            keep(key, new Idle(client, mails + 1, System.nanoTime()));
        } else if (verdict instanceof Verdict.Temporary t
                && (t.cause() == Verdict.Cause.CONTENT || t.esc().equals("4.4.2"))) {
            client.wire().close(); // in the middle of DATA, or gone: no goodbye
        } else {
            client.quit();
        }
        return verdict;
    }

    private Object connect(List<InetSocketAddress> hosts, long deadline) {
        String why = "LMTP host has no address";
        for (InetSocketAddress host : hosts.subList(0, Math.min(MAX_ADDRESSES, hosts.size()))) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                break;
            }
            try {
                return LmtpWire.tcp(host, (int) Math.min(left, CONNECT_MILLIS));
            } catch (IOException e) {
                why = "cannot connect to LMTP server: " + e.getMessage();
            }
        }
        return Verdict.temporary("4.4.1", why);
    }

    /** The user connects, as the server may look at the peer's credentials; then it is ours. */
    private static Object connectAs(Job job, String path, Rights.Recipient recipient, long deadline)
            throws InterruptedException {
        int[] fd = {-1};
        SysException[] failed = new SysException[1];
        RecipientThread<Boolean> thread =
                new RecipientThread<>(
                        "lmtp-" + job.evpid(),
                        recipient::becomeWriter,
                        () -> {
                            try {
                                fd[0] = Sockets.connectUnix(path);
                            } catch (SysException e) {
                                failed[0] = e;
                            }
                            return true;
                        });
        if (!thread.runUntil(deadline)) {
            return Verdict.temporary("4.4.1", "LMTP server does not answer");
        }
        if (thread.refused() != null) {
            return Deliverer.cannotBecome(job.runAs(), thread.refused());
        }
        thread.result();
        if (failed[0] != null) {
            return Verdict.temporary(
                    "4.4.1",
                    "cannot connect to LMTP server: " + smtpd.sys.Errno.text(failed[0].errno()));
        }
        return new Unix(fd[0]);
    }

    private Idle take(String key) {
        while (true) {
            Idle found;
            synchronized (this) {
                Deque<Idle> all = idle.get(key);
                found = all == null ? null : all.pollLast();
                if (found != null) {
                    idleCount--;
                }
                if (all != null && all.isEmpty()) {
                    idle.remove(key);
                }
            }
            if (found == null || System.nanoTime() - found.since < IDLE_NANOS) {
                return found;
            }
            found.client.wire().close();
        }
    }

    private void keep(String key, Idle one) {
        boolean full;
        synchronized (this) {
            full = idleCount >= MAX_IDLE;
            if (!full) {
                idleCount++;
                idle.computeIfAbsent(key, _ -> new ArrayDeque<>()).add(one);
            }
        }
        if (full) {
            one.client.quit();
        }
    }

    /** Closes connections idle too long; true when others are left. */
    synchronized boolean expire() {
        close(System.nanoTime() - IDLE_NANOS);
        return idleCount > 0;
    }

    void close() {
        close(Long.MAX_VALUE);
    }

    private void close(long before) {
        Deque<Idle> old = new ArrayDeque<>();
        synchronized (this) {
            for (Deque<Idle> all : idle.values()) {
                while (!all.isEmpty()
                        && (before == Long.MAX_VALUE || all.peekFirst().since - before < 0)) {
                    old.add(all.pollFirst());
                    idleCount--;
                }
            }
            idle.values().removeIf(Deque::isEmpty);
        }
        old.forEach(one -> one.client.wire().close());
    }

    /** A non-blocking Unix socket, with poll(2). */
    private static final class Unix implements LmtpWire {

        private final int fd;
        private boolean closed;

        Unix(int fd) {
            this.fd = fd;
        }

        @Override
        public int read(byte[] into, int timeoutMillis) throws IOException {
            if (!Poll.one(fd, Poll.IN, timeoutMillis)) {
                throw new SocketTimeoutException("nothing to read");
            }
            int n = Fd.read(fd, into, 0, into.length);
            return n == 0 ? -1 : n;
        }

        @Override
        public void write(byte[] bytes, int count, int timeoutMillis) throws IOException {
            int done = 0;
            while (done < count) {
                int n = Fd.tryWrite(fd, bytes, done, count - done);
                if (n == -smtpd.sys.Errno.EAGAIN) {
                    if (!Poll.one(fd, Poll.OUT, timeoutMillis)) {
                        throw new InterruptedIOException("cannot write");
                    }
                } else if (n < 0) {
                    throw new SysException("write", -n);
                } else {
                    done += n;
                }
            }
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                Fd.closeQuietly(fd);
            }
        }
    }
}
