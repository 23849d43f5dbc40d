package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A mail that got its 250 arrives, whoever dies meanwhile. */
class CrashTest {

    private static final int CLIENTS = 4;
    private static final int MAILS_BETWEEN_DEATHS = 20;

    private final Parts parts = new Parts();
    private Site site;

    @BeforeEach
    void prepare() throws IOException {
        site = parts.add(Site.create()).config(Site.toMaildir());
    }

    @AfterEach
    void end() throws Exception {
        parts.close();
    }

    @Test
    void everyAcceptedMailArrivesThoughEachChildIsKilledInTurn() throws Exception {
        Daemon daemon = parts.add(Daemon.start(site));
        Load load = parts.add(Load.start(site.port(), "bob@mail.site.test", CLIENTS));
        load.awaitMore(MAILS_BETWEEN_DEATHS);
        for (String child : Daemon.CHILDREN) {
            daemon.killAndAwaitReturn(child);
            load.awaitMore(MAILS_BETWEEN_DEATHS);
        }
        List<String> accepted = load.stop();
        awaitEmptyQueue();
        assertArrivedOnceOrTwice(accepted);
        assertThat(daemon.stop()).isZero();
    }

    @Test
    void everyAcceptedMailArrivesThoughAllAreKilledAtOnce() throws Exception {
        Daemon daemon = parts.add(Daemon.start(site));
        Load load = parts.add(Load.start(site.port(), "bob@mail.site.test", CLIENTS));
        load.awaitMore(100);
        daemon.killAll();
        List<String> accepted = load.stop();
        Daemon again = parts.add(Daemon.start(site));
        awaitEmptyQueue();
        assertArrivedOnceOrTwice(accepted);
        assertThat(again.stop()).isZero();
    }

    private void awaitEmptyQueue() {
        Machine.await("an empty queue").until(() -> site.envelopeFiles().isEmpty());
    }

    private void assertArrivedOnceOrTwice(List<String> accepted) throws IOException {
        Map<String, Integer> copies = new TreeMap<>();
        for (String subject : site.maildir("bob").subjects()) {
            copies.merge(subject, 1, Integer::sum);
        }
        System.out.println(
                accepted.size()
                        + " accepted, "
                        + copies.size()
                        + " arrived, "
                        + copies.values().stream().filter(n -> n > 1).count()
                        + " more than once");
        assertThat(copies.keySet()).containsAll(accepted);
        assertThat(copies.values()).allMatch(n -> n <= 2);
    }
}
