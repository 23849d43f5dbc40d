package smtpd.lka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.Need;
import smtpd.imsg.ChildToControl.ControlDone;
import smtpd.imsg.ControlToLka.UpdateTable;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.LkaToMda.UserIs;
import smtpd.imsg.LkaToMta.HeloNameIs;
import smtpd.imsg.LkaToMta.MxPreferenceIs;
import smtpd.imsg.LkaToMta.SmartHostIs;
import smtpd.imsg.LkaToMta.SourcesAre;
import smtpd.imsg.LkaToParent.OpenForward;
import smtpd.imsg.LkaToQueue.BounceExpanded;
import smtpd.imsg.LkaToSmtp.RecipientRefused;
import smtpd.imsg.LkaToSmtp.Refusal;
import smtpd.imsg.MdaToLka.UserInfo;
import smtpd.imsg.MtaToLka.HeloName;
import smtpd.imsg.MtaToLka.MxPreference;
import smtpd.imsg.MtaToLka.SmartHost;
import smtpd.imsg.MtaToLka.SourceAddress;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.ParentToLka.ForwardFile;
import smtpd.imsg.ParentToLka.ForwardStatus;
import smtpd.imsg.QueueToLka.ExpandBounce;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.ReverseLookup;
import smtpd.imsg.ReverseName;
import smtpd.imsg.Role;
import smtpd.imsg.SocketAddr;
import smtpd.lka.dns.Nsd;
import smtpd.mail.MailAddress;
import smtpd.proc.Harness;
import smtpd.sys.Memfd;
import smtpd.sys.SysException;

/** The life of the process and its smaller answers. */
class LkaProcessTest {

    private static final String MBOX =
            "accept from any for domain \"here.example\" deliver to mbox\naccept for any relay\n";

    @TempDir Path folder;
    private House house;

    @AfterEach
    void stop() {
        if (house != null) {
            house.close();
        }
    }

    @Test
    void mailHostsAndReverseNamesComeFromTheConfiguredResolver() throws IOException {
        assumeTrue(Nsd.isInstalled(), "nsd is not installed");
        try (Nsd nsd =
                Nsd.start(
                        folder,
                        Map.of(
                                "example.",
                                "far.example. IN MX 10 mx.example.\nmx.example. IN A 192.0.2.1\n",
                                "2.0.192.in-addr.arpa.",
                                "1.2.0.192.in-addr.arpa. IN PTR mx.example.\n"))) {
            house = new House("resolver 127.0.0.1:" + nsd.address().getPort() + "\n" + MBOX);
            Harness<?>.Peer mta = house.harness.peer(Role.MTA);
            mta.send(7, new Resolve("far.example", Resolve.Kind.MX));
            Harness.Received received = mta.expect(Resolved.class);
            assertThat(received.frame().id()).isEqualTo(7);
            Resolved resolved = (Resolved) received.message();
            assertThat(resolved.status()).isEqualTo(DnsStatus.OK);
            assertThat(resolved.hosts().getFirst().host()).isEqualTo("mx.example");
            mta.send(8, new MxPreference("far.example", "mx.example"));
            assertThat(mta.get(MxPreferenceIs.class))
                    .isEqualTo(new MxPreferenceIs(DnsStatus.OK, 10));
            Harness<?>.Peer mda = house.harness.peer(Role.MDA);
            mda.send(9, new Resolve("mx.example", Resolve.Kind.HOST));
            assertThat(mda.get(Resolved.class).hosts()).hasSize(1);
            Harness<?>.Peer smtp = house.harness.peer(Role.SMTP);
            SocketAddr address = new SocketAddr(new byte[] {(byte) 192, 0, 2, 1}, 5555, 0);
            smtp.send(10, new ReverseLookup(address));
            assertThat(smtp.get(ReverseName.class))
                    .isEqualTo(new ReverseName(DnsStatus.OK, "mx.example", true));
        }
    }

    @Test
    void userQuestionsSayFoundMissingOrNotNow() {
        house = new House(MBOX);
        Harness<?>.Peer mda = house.harness.peer(Role.MDA);
        mda.send(1, new UserInfo(1, "<getpwnam>", "bob"));
        assertThat(mda.get(UserIs.class))
                .isEqualTo(new UserIs(Outcome.ok(), "bob", 1001, 1001, "/home/bob"));
        mda.send(2, new UserInfo(1, "<getpwnam>", "nobody"));
        assertThat(mda.get(UserIs.class).outcome()).isInstanceOf(Outcome.Permanent.class);
        house.brokenUsers.add("ann");
        mda.send(3, new UserInfo(1, "<getpwnam>", "ann"));
        assertThat(mda.get(UserIs.class).outcome()).isInstanceOf(Outcome.Temporary.class);
        mda.send(4, new UserInfo(1, "gone", "bob"));
        assertThat(mda.get(UserIs.class).outcome()).isInstanceOf(Outcome.Temporary.class);
        house.brokenUsers.add("bob");
        mda.send(5, new UserInfo(1, "<getpwnam>", "bob"));
        assertThat(mda.get(UserIs.class).outcome()).as("kept for a while").isEqualTo(Outcome.ok());
    }

    @Test
    void silentUserDatabaseHoldsUpNobodyButThoseWhoAskIt() {
        CountDownLatch silent = new CountDownLatch(1);
        house =
                new House(
                        MBOX,
                        name -> {
                            try {
                                silent.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                            return Optional.empty();
                        },
                        Optional.empty());
        long parked = house.send("bob@here.example");
        house.client = SocketAddr.LOCAL;
        long other = house.send("x@far.example");
        assertThat(house.fate(other).lines()).containsExactly("mta x@far.example");
        silent.countDown();
        assertThat(house.fate(parked).refused().reason()).isEqualTo(Refusal.UNKNOWN_USER);
    }

    @Test
    void noticeIsExpandedAsLocalMailOfTheNullSender() {
        house = new House(MBOX);
        Harness<?>.Peer queue = house.harness.peer(Role.QUEUE);
        int bits = smtpd.imsg.Need.EIGHT_BIT_MIME | smtpd.imsg.Need.SMTPUTF8_BY_ADDRESS;
        queue.send(
                5,
                new ExpandBounce(new MailAddress("z", "far.example"), "mx.old.example", bits, 2));
        BounceExpanded expanded = queue.get(BounceExpanded.class);
        assertThat(expanded.outcome()).isEqualTo(Outcome.ok());
        Envelope envelope = House.read(expanded.envelopes().getFirst());
        assertThat(envelope.isNullSender()).isTrue();
        assertThat(envelope.flags()).containsExactly(EnvelopeFlag.BOUNCE);
        assertThat(envelope.needs()).containsExactly(Need.EIGHTBITMIME);
        assertThat(envelope.smtpname()).isEqualTo("mx.old.example");
        assertThat(envelope.tag()).isEqualTo("local");
        assertThat(envelope.sockaddr()).isEqualTo("local");
        assertThat(envelope.expire()).isEqualTo(Envelope.BOUNCE_EXPIRE);
        queue.send(6, new ExpandBounce(new MailAddress("no", "here.example"), "mx", 0, 2));
        assertThat(queue.get(BounceExpanded.class).outcome()).isInstanceOf(Outcome.Permanent.class);
    }

    @Test
    void tableIsReadAnewOnRequestAndABadOneChangesNothing() throws IOException {
        Path aliases = folder.resolve("aliases");
        Files.writeString(aliases, "info: bob\n");
        house = withAliases(aliases);
        Files.writeString(aliases, "info: ann\n");
        assertThat(user("info@here.example")).isEqualTo("bob");
        assertThat(update("aliases").ok()).isTrue();
        assertThat(user("info@here.example")).isEqualTo("ann");
        Files.writeString(aliases, "info: carl\nlonely\n");
        ControlDone failed = update("aliases");
        assertThat(failed.ok()).isFalse();
        assertThat(failed.text()).contains(aliases + ":2:");
        Files.writeString(aliases, "info\n");
        assertThat(update("aliases").text()).contains("changed from MAPPING to LIST");
        Files.delete(aliases);
        assertThat(update("aliases").ok()).isFalse();
        assertThat(user("info@here.example")).isEqualTo("ann");
        assertThat(update("unknown").text()).isEqualTo("no table unknown");
    }

    @Test
    void configurationWithAnUnreadableTableIsRefusedAndTheOldOneStays() throws IOException {
        Path aliases = folder.resolve("aliases");
        Files.writeString(aliases, "info: bob\n");
        house = withAliases(aliases);
        var answer =
                house.harness.offer(
                        House.config(
                                2,
                                "table x file:"
                                        + folder.resolve("none")
                                        + "\naccept from any for domain \"here.example\" alias <x>"
                                        + " deliver to mbox\n"));
        assertThat(answer.accepted()).isFalse();
        assertThat(answer.reason()).contains("none: no regular file");
        assertThat(user("info@here.example")).isEqualTo("bob");
    }

    @Test
    void sessionKeepsTheRulesItBeganWith() {
        house = new House(MBOX);
        house.harness.configure(House.config(2, "reject from any for domain \"here.example\"\n"));
        assertThat(house.expand("bob@here.example").lines()).hasSize(1);
        house.harness.parent().send(0, new ParentToChild.ConfigDrop(1));
        assertThat(house.expand("bob@here.example").refused().reason())
                .isEqualTo(Refusal.RELAY_DENIED);
    }

    @Test
    void recipientIsRefusedForNowWhileTheQueueIsAway() {
        house = new House(MBOX);
        house.harness.peer(Role.QUEUE).die();
        await().until(
                        () -> {
                            house.send("bob@here.example");
                            answerForwards();
                            return house.harness.peer(Role.SMTP).drain().stream()
                                    .anyMatch(
                                            r ->
                                                    r.message() instanceof RecipientRefused refused
                                                            && refused.outcome()
                                                                    instanceof Outcome.Temporary);
                        });
    }

    @Test
    void expansionsOfADeadSmtpAreForgottenAndLateDescriptorsClosed() throws Exception {
        house = new House(MBOX);
        house.send("bob@here.example");
        Harness.Received question = house.harness.parent().expect(OpenForward.class);
        house.harness.peer(Role.SMTP).die();
        house.harness.peer(Role.SMTP).rejoin();
        int before = descriptors();
        for (int i = 0; i < 5; i++) {
            answer(question.frame().id());
        }
        house.client = SocketAddr.LOCAL;
        assertThat(house.expand("x@far.example").lines()).containsExactly("mta x@far.example");
        await().until(() -> descriptors() <= before);
    }

    @Test
    void parkedExpansionsDoNotHoldUpOthers() throws Exception {
        house = new House(MBOX);
        house.send("bob@here.example");
        Harness.Received question = house.harness.parent().expect(OpenForward.class);
        house.client = SocketAddr.LOCAL;
        assertThat(house.expand("x@far.example").lines()).hasSize(1);
        answer(question.frame().id());
        assertThat(house.fate(1).lines()).containsExactly("mta y@far.example");
    }

    @Test
    void tooManyExpansionsAtOnceAreRefusedForNow() {
        house = new House(MBOX);
        for (int i = 0; i < 4096; i++) {
            house.send("bob@here.example");
        }
        house.send("bob@here.example");
        RecipientRefused refused = house.harness.peer(Role.SMTP).get(RecipientRefused.class);
        assertThat(refused.outcome()).isInstanceOf(Outcome.Temporary.class);
    }

    @Test
    void tablesOfARelayAreAnsweredAsMtaNeedsThem() {
        house =
                new House(
                        """
                        table src { "192.0.2.1", "2001:db8::1" }
                        table helo { "192.0.2.1" = "out1.example" }
                        table hosts { "a.example" = "smtp://relay.example:26" }
                        accept for any relay
                        """);
        Harness<?>.Peer mta = house.harness.peer(Role.MTA);
        mta.send(1, new SourceAddress(1, "src"));
        SourcesAre sources = mta.get(SourcesAre.class);
        assertThat(sources.sources())
                .extracting(SocketAddr::host)
                .containsExactly("192.0.2.1", "2001:db8:0:0:0:0:0:1");
        mta.send(2, new SourceAddress(1, "none"));
        assertThat(mta.get(SourcesAre.class).outcome()).isInstanceOf(Outcome.Temporary.class);
        mta.send(3, new HeloName(1, "helo", sources.sources().get(0)));
        assertThat(mta.get(HeloNameIs.class))
                .isEqualTo(new HeloNameIs(Outcome.ok(), "out1.example"));
        mta.send(4, new HeloName(1, "helo", sources.sources().get(1)));
        assertThat(mta.get(HeloNameIs.class)).isEqualTo(new HeloNameIs(Outcome.ok(), ""));
        mta.send(5, new SmartHost(1, "hosts", new MailAddress("x", "A.example")));
        assertThat(mta.get(SmartHostIs.class))
                .isEqualTo(new SmartHostIs(Outcome.ok(), true, List.of("smtp://relay.example:26")));
        mta.send(6, new SmartHost(1, "hosts", new MailAddress("x", "b.example")));
        assertThat(mta.get(SmartHostIs.class))
                .isEqualTo(new SmartHostIs(Outcome.ok(), true, List.of()));
    }

    @Test
    void questionsBeforeTheFirstConfigurationWaitForIt() {
        house = new House();
        house.client = SocketAddr.LOCAL;
        long id = house.send("x@far.example");
        house.harness.configure(House.config(1, MBOX));
        assertThat(house.fate(id).lines()).containsExactly("mta x@far.example");
    }

    @Test
    void stopWaitsForWhatIsUnderWay() throws Exception {
        house = new House(MBOX);
        house.send("bob@here.example");
        Harness.Received question = house.harness.parent().expect(OpenForward.class);
        house.harness.parent().send(0, new ParentToChild.Stop(20_000));
        answer(question.frame().id());
        assertThat(house.harness.awaitEnd()).isZero();
        assertThat(house.fate(1).lines()).containsExactly("mta y@far.example");
    }

    @Test
    void stopEndsAtTheDeadlineThoughSomethingHangs() {
        house = new House(MBOX);
        house.send("bob@here.example");
        house.harness.parent().expect(OpenForward.class);
        house.harness.parent().send(0, new ParentToChild.Stop(50));
        assertThat(house.harness.awaitEnd()).isZero();
    }

    private void answer(long id) throws SysException {
        int fd = Memfd.sealed("forward", "y@far.example\n".getBytes(StandardCharsets.UTF_8));
        house.harness.parent().send(id, new ForwardFile(ForwardStatus.OPEN, ""), fd);
    }

    private void answerForwards() {
        for (Harness.Received r : house.harness.parent().drain()) {
            if (r.message() instanceof OpenForward) {
                house.harness
                        .parent()
                        .send(r.frame().id(), new ForwardFile(ForwardStatus.NONE, ""));
            }
        }
    }

    private static int descriptors() {
        String[] names = new java.io.File("/proc/self/fd").list();
        int count = 0;
        for (String name : names == null ? new String[0] : names) {
            Path link = Path.of("/proc/self/fd", name);
            try {
                if (Files.readSymbolicLink(link).toString().contains("forward")) {
                    count++;
                }
            } catch (IOException e) {
                // Closed meanwhile.
            }
        }
        return count;
    }

    private House withAliases(Path aliases) {
        return new House(
                "table aliases file:"
                        + aliases
                        + "\naccept from any for domain \"here.example\" alias <aliases> deliver to"
                        + " mbox\n");
    }

    private String user(String rcpt) {
        List<Envelope> envelopes = house.expand(rcpt).envelopes();
        return envelopes.getFirst().mda().user();
    }

    private ControlDone update(String table) {
        Harness<?>.Peer control = house.harness.peer(Role.CONTROL);
        control.sendFor(4, 77, new UpdateTable(table));
        Harness.Received received = control.expect(ControlDone.class);
        assertThat(received.frame().peer()).isEqualTo(4);
        assertThat(received.frame().id()).isEqualTo(77);
        return (ControlDone) received.message();
    }
}
