package smtpd.regress;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Clients that send short mails with subjects of their own, one after the other, until told to
 * stop, and note which of them got a 250. A mail whose fate the client did not hear is not counted.
 */
final class Load implements AutoCloseable {

    private static final long BETWEEN_TRIES_NANOS = 100_000_000;

    private final int port;
    private final String recipient;
    private final Queue<String> accepted = new ConcurrentLinkedQueue<>();
    private final AtomicInteger number = new AtomicInteger();
    private final List<Thread> clients = new ArrayList<>();
    private volatile boolean stopped;

    private Load(int port, String recipient) {
        this.port = port;
        this.recipient = recipient;
    }

    static Load start(int port, String recipient, int clients) {
        Load load = new Load(port, recipient);
        for (int i = 0; i < clients; i++) {
            load.clients.add(Thread.ofVirtual().start(load::work));
        }
        return load;
    }

    private void work() {
        while (!stopped) {
            try (SmtpClient client = SmtpClient.connect(port)) {
                client.say("EHLO load.test", "250");
                for (int i = 0; i < 5 && !stopped; i++) {
                    send(client);
                }
                client.say("QUIT");
            } catch (IOException | AssertionError e) {
                // Refused or cut off: what a client does then is to come again.
                LockSupport.parkNanos(BETWEEN_TRIES_NANOS);
            }
        }
    }

    private void send(SmtpClient client) throws IOException {
        String subject = "load-" + number.incrementAndGet();
        if (client.mail("ann@sender.test", List.of(recipient), Content.mail(subject))
                .startsWith("250")) {
            accepted.add(subject);
        }
    }

    /** How many were accepted so far. */
    int count() {
        return accepted.size();
    }

    /** Waits until that many more were accepted. */
    void awaitMore(int mails) {
        int target = count() + mails;
        Machine.await(mails + " more accepted mails").until(() -> count() >= target);
    }

    /** Ends the clients; the subjects that got a 250. */
    List<String> stop() throws InterruptedException {
        stopped = true;
        for (Thread client : clients) {
            client.join();
        }
        return List.copyOf(accepted);
    }

    @Override
    public void close() {
        stopped = true;
        clients.forEach(Thread::interrupt);
    }
}
