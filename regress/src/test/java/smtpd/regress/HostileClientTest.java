package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileClientTest {

    private static final int NOISY_SESSIONS = 500;
    private static final boolean NIGHTLY = Boolean.getBoolean("nightly");
    private static final int REFUSED_MAILS = NIGHTLY ? 10_000 : 2_000;

    private final Parts parts = new Parts();
    private Site site;
    private Daemon daemon;

    @BeforeAll
    void start() throws IOException {
        site = parts.add(Site.create());
        site.config("limit session max-session-per-host 0", Site.toMaildir());
        daemon = parts.add(Daemon.start(site));
    }

    @AfterAll
    void end() throws Exception {
        parts.close();
    }

    private void deliverOne(String subject) throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "bob@mail.site.test", subject);
        }
        site.maildir("bob").await(subject);
    }

    /** CVE-2023-51766 and its kin: a second mail hidden behind an end of data that others see. */
    @Test
    void aMailHiddenBehindABareLineFeedIsRefused() throws IOException {
        for (String end : List.of("\n.\r\n", "\n.\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\n.\r")) {
            try (SmtpClient client = daemon.connect()) {
                client.say("EHLO evil.test", "250").say("MAIL FROM:<a@evil.test>", "250");
                client.say("RCPT TO:<cid@mail.site.test>", "250").say("DATA", "354");
                client.send("Subject: outer\r\n\r\nx" + end);
                client.send("MAIL FROM:<root@mail.site.test>\r\nRCPT TO:<cid@mail.site.test>\r\n");
                client.send("DATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n");
                assertThat(client.reply()).as("after %s", shown(end)).startsWith("5");
            }
        }
        deliverOne("after-smuggling");
        assertThat(site.maildir("cid").subjects()).doesNotContain("smuggled", "outer");
    }

    private static String shown(String bytes) {
        return bytes.replace("\r", "CR ").replace("\n", "LF ");
    }

    @Test
    void randomBytesFromManySessionsAtOnceDoNoHarm() throws Exception {
        long seed = Long.getLong("seed", 1);
        System.out.println("seed " + seed);
        Map<String, Long> before = daemon.children();
        List<Thread> noise = new ArrayList<>();
        for (int i = 0; i < NOISY_SESSIONS; i++) {
            long own = seed + i;
            noise.add(Thread.ofVirtual().start(() -> noise(new Random(own))));
        }
        for (Thread one : noise) {
            one.join();
        }
        deliverOne("after-noise");
        assertThat(daemon.children()).as("none was restarted").isEqualTo(before);
        assertThat(daemon.log("Exception")).isEmpty();
    }

    /** Pure noise, or commands with noise in them, or a real beginning that then derails. */
    private void noise(Random random) {
        byte[] junk = new byte[1 + random.nextInt(6_000)];
        random.nextBytes(junk);
        if (random.nextBoolean()) {
            for (int i = 0; i < junk.length; i += 1 + random.nextInt(60)) {
                junk[i] = '\n';
            }
        }
        String[] words = {
            "", "EHLO x\r\n", "MAIL FROM:<a@b.test>", "RCPT TO:<", "BDAT 10\r\n", "DATA\r\n"
        };
        try (SmtpClient client = SmtpClient.open(site.port())) {
            client.send(words[random.nextInt(words.length)]);
            client.send(junk);
            client.shutdownOutput();
            client.drain();
        } catch (IOException e) {
            // Cut off by the server: one of the right answers.
        }
    }

    @Test
    void manyRefusedRecipientsLeaveNoDescriptorBehind() throws Exception {
        refuse(50);
        deliverOne("warm");
        Map<String, Integer> before = descriptors();
        refuse(REFUSED_MAILS);
        deliverOne("after-refusals");
        // What a deliver keeps open for a moment goes; what leaked stays.
        Machine.await("as many descriptors as before")
                .untilAsserted(() -> assertThat(descriptors()).isEqualTo(before));
        assertThat(site.envelopeFiles()).isEmpty();
        assertThat(site.files(site.spool().resolve("incoming"), "[0-9a-f]{8}")).isEmpty();
    }

    /** Mails with one recipient each, who is unknown: transactions begun, never committed. */
    private void refuse(int mails) throws IOException {
        for (int sent = 0; sent < mails; ) {
            try (SmtpClient client = daemon.connect()) {
                client.say("EHLO client.test", "250");
                // From the tenth refusal on a session is slowed down: come again before that.
                for (int i = 0; i < 9 && sent < mails; i++, sent++) {
                    client.say("MAIL FROM:<ann@sender.test>", "250");
                    client.say("RCPT TO:<nobody-" + sent + "@mail.site.test>", "550");
                    client.say("RSET", "250");
                }
                client.say("QUIT", "221");
            }
        }
    }

    private Map<String, Integer> descriptors() throws IOException {
        Map<String, Integer> counts = new TreeMap<>();
        for (Map.Entry<String, Long> child : daemon.children().entrySet()) {
            counts.put(child.getKey(), Machine.descriptors(child.getValue()));
        }
        counts.put("parent", Machine.descriptors(daemon.pid()));
        return counts;
    }

    @Test
    void aLineWithoutEndIsCutOff() throws IOException {
        try (SmtpClient client = daemon.connect()) {
            client.send("EHLO " + "x".repeat(100_000) + "\r\n");
            assertThat(client.reply()).startsWith("5");
        } catch (IOException e) {
            // Closed without a word while we were still sending: allowed.
        }
        deliverOne("after-long-line");
    }
}
