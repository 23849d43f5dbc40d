package smtpd.mda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import smtpd.conf.Config;
import smtpd.envelope.Evpid;
import smtpd.envelope.MdaMethod;
import smtpd.envelope.Msgid;
import smtpd.imsg.AgentToQueue;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.Content;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.Message;
import smtpd.imsg.Outcome;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToAgent.ContentForm;
import smtpd.imsg.Role;
import smtpd.imsg.StoredEnvelope;
import smtpd.log.Trace;
import smtpd.log.TraceLines;
import smtpd.proc.Harness;
import smtpd.sys.Memfd;

/** mda against a scripted queue and lka. */
final class MdaProcessTest extends MdaFixture {

    @Test
    void mailGoesIntoTheMaildirOfItsUser() throws Exception {
        configure("accept for local deliver to maildir\n");
        Evpid evpid = send(envelope("bob").build());
        answerUser();
        AgentToQueue.Delivered m = (AgentToQueue.Delivered) result();
        assertThat(m.evpids()).containsExactly(evpid);
        assertThat(m.seq()).isEqualTo(1);
        List<Path> files = files(dir.resolve("bob"));
        assertThat(files).hasSize(1);
        assertThat(files.getFirst().getParent()).isEqualTo(dir.resolve("bob/Maildir/new"));
        assertThat(files.getFirst()).content().endsWith("Subject: x\n\nhello\n");
        assertThat(Files.getAttribute(files.getFirst(), "unix:uid")).isEqualTo(uid("bob"));
        // the second mail asks nobody
        send(envelope("bob").build());
        assertThat(((AgentToQueue.Delivered) result()).seq()).isEqualTo(2);
        assertThat(lka.drain()).isEmpty();
    }

    @Test
    void deliveriesAreShownWhileIoIsTraced() throws Exception {
        configure("accept for local deliver to maildir\n");
        Harness<MdaProcess>.Peer control = harness.peer(Role.CONTROL);
        try (TraceLines lines = new TraceLines(Trace.IO)) {
            control.send(0, new ControlToChild.TraceState(Trace.IO.bit(), 0, false));
            control.expect(ChildToControl.TraceApplied.class);
            Evpid evpid = send(envelope("bob").build());
            answerUser();
            result();
            assertThat(lines.texts())
                    .containsExactly(
                            "text=\"begin maildir evpid=" + evpid + " user=bob\"",
                            "text=\"end maildir evpid=" + evpid + ": Delivered\"");
            control.send(0, new ControlToChild.TraceState(0, 0, false));
            control.expect(ChildToControl.TraceApplied.class);
            send(envelope("bob").build());
            result();
            assertThat(lines.lines()).hasSize(2);
        }
    }

    @Test
    void envelopesOfVersionThreeFollowTheActionOfToday() throws Exception {
        Config config = configure("accept for local deliver to maildir \"~/M-%{rcpt.user}\"\n");
        String action = config.actions().keySet().iterator().next();
        send(
                envelope("bob")
                        .version(3)
                        .action(action)
                        .mdaMethod(null)
                        .mdaBuffer("")
                        .mdaRaw(false)
                        .build());
        answerUser();
        assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
        assertThat(dir.resolve("bob/M-bob/new")).isNotEmptyDirectory();
        send(
                envelope("bob")
                        .version(3)
                        .action("gone")
                        .mdaMethod(null)
                        .mdaBuffer("")
                        .mdaRaw(false)
                        .build());
        AgentToQueue.Deferred m = (AgentToQueue.Deferred) result();
        assertThat(m.esc()).isEqualTo("4.3.5");
        assertThat(m.text()).isEqualTo("no action called gone");
    }

    @Test
    void largeContentComesAsADescriptorAndIsGivenBack() throws Exception {
        configure("accept for local deliver to maildir\n");
        Msgid msgid = new Msgid(77);
        queue.send(
                0,
                transfer(
                        msgid,
                        ContentForm.DESCRIPTOR,
                        stored(msgid, 1, envelope("bob").build()),
                        stored(msgid, 2, envelope("bob").build())),
                Memfd.sealed("mail", MAIL));
        answerUser();
        Set<Message> heard = new HashSet<>();
        while (!heard.contains(new AgentToQueue.ContentReleased(1, 0))) {
            heard.add(queue.next().message());
        }
        assertThat(files(dir.resolve("bob"))).hasSize(2);
    }

    @Test
    void contentThatDidNotComeAlongIsAskedForAtTheStart() throws Exception {
        configure("accept for local deliver to maildir\n");
        Msgid msgid = new Msgid(78);
        queue.send(
                0,
                transfer(
                        msgid,
                        ContentForm.ASK,
                        stored(msgid, 1, envelope("bob").build()),
                        stored(msgid, 2, envelope("bob").build())));
        answerUser();
        Harness.Received asked = queue.expect(AgentToQueue.OpenMessage.class);
        queue.send(
                asked.frame().id(),
                new QueueToAgent.MessageFile(
                        msgid, Outcome.ok(), ContentForm.INLINE, Content.of(MAIL)));
        int delivered = 0;
        while (delivered < 2) {
            delivered += ((AgentToQueue.Delivered) result()).evpids().size();
        }
        // gone again: a later envelope of the message asks anew
        queue.send(
                0, transfer(msgid, ContentForm.KNOWN, stored(msgid, 3, envelope("bob").build())));
        while (!(queue.next().message() instanceof AgentToQueue.OpenMessage)) {
            // releases may come first
        }
    }

    @Test
    void contentThatCannotBeOpenedDefers() throws Exception {
        configure("accept for local deliver to maildir\n");
        Msgid msgid = new Msgid(79);
        queue.send(0, transfer(msgid, ContentForm.ASK, stored(msgid, 1, envelope("bob").build())));
        answerUser();
        Harness.Received asked = queue.expect(AgentToQueue.OpenMessage.class);
        queue.send(
                asked.frame().id(),
                new QueueToAgent.MessageFile(
                        msgid,
                        new Outcome.Temporary("451 4.3.0 no", "4.3.0"),
                        ContentForm.ASK,
                        Content.NONE));
        assertThat(((AgentToQueue.Deferred) result()).text()).isEqualTo("Cannot get message fd");
    }

    @Test
    void unknownUsersFailAndUnansweredOnesDefer() throws Exception {
        configure("accept for local deliver to maildir\n");
        send(envelope("nobody").build());
        Harness.Received asked = lka.expect(MdaToLka.UserInfo.class);
        lka.send(
                asked.frame().id(),
                new LkaToMda.UserIs(new Outcome.Permanent("", ""), "nobody", 0, 0, ""));
        AgentToQueue.Failed failed = (AgentToQueue.Failed) result();
        assertThat(failed.esc()).isEqualTo("5.1.1");
        assertThat(failed.text()).isEqualTo("Permanent failure in user lookup");
        send(envelope("nobody").build());
        asked = lka.expect(MdaToLka.UserInfo.class);
        lka.send(
                asked.frame().id(),
                new LkaToMda.UserIs(new Outcome.Temporary("", ""), "nobody", 0, 0, ""));
        assertThat(((AgentToQueue.Deferred) result()).esc()).isEqualTo("4.3.0");
    }

    @Test
    void aLookUpLostWithLkaIsAskedAgain() throws Exception {
        configure("accept for local deliver to maildir\n");
        send(envelope("bob").build());
        lka.expect(MdaToLka.UserInfo.class);
        lka.die();
        lka.rejoin();
        answerUser();
        assertThat(result()).isInstanceOf(AgentToQueue.Delivered.class);
    }

    @Test
    void resultsAreKeptUntilTheQueueHasStoredThem() throws Exception {
        configure("accept for local deliver to maildir\n");
        Evpid first = send(envelope("bob").build());
        answerUser();
        AgentToQueue.Delivered told = (AgentToQueue.Delivered) result();
        queue.die();
        queue.rejoin();
        assertThat(queue.get(AgentToQueue.InFlightReport.class).evpids()).containsExactly(first);
        assertThat(result()).isEqualTo(told);
        queue.send(0, new QueueToAgent.ResultsStored(told.seq()));
        queue.send(5, new QueueToAgent.InFlightQuery());
        assertThat(queue.get(AgentToQueue.InFlightReport.class).evpids()).isEmpty();
        queue.die();
        queue.rejoin();
        assertThat(queue.get(AgentToQueue.InFlightReport.class).evpids()).isEmpty();
    }

    @Test
    void aBusyUserIsHeldAboveHighWaterAndOthersAreNot() throws Exception {
        configure(
                "limit mda task-hiwat 5 task-lowat 2 task-release 3\n"
                        .concat("accept for local deliver to maildir\n"));
        Msgid msgid = new Msgid(500);
        List<StoredEnvelope> many = new ArrayList<>();
        for (int i = 1; i <= 12; i++) {
            many.add(stored(msgid, i, envelope("bob").build()));
        }
        queue.send(0, transfer(msgid, ContentForm.INLINE, many.toArray(new StoredEnvelope[0])));
        AgentToQueue.Hold hold = (AgentToQueue.Hold) result();
        assertThat(hold.evpids()).hasSize(7);
        Harness<MdaProcess>.Peer control = harness.peer(Role.CONTROL);
        control.sendFor(3, 9, new ControlToMta.HoldNames(List.of(hold.key(), 1L)));
        assertThat(control.get(ChildToControl.ShowRow.class).fields().get(1))
                .isEqualTo("<getpwnam>:bob");
        assertThat(control.get(ChildToControl.ControlDone.class).count()).isEqualTo(1);
        Evpid other = send(envelope("eve").build());
        Harness.Received bob = lka.expect(MdaToLka.UserInfo.class);
        answerUser();
        AgentToQueue.Delivered m = (AgentToQueue.Delivered) result();
        assertThat(m.evpids()).containsExactly(other);
        answerUser(bob);
        boolean released = false;
        boolean all = false;
        int done = 0;
        while (done < 5 || !all) {
            switch (result()) {
                case AgentToQueue.Delivered d -> done += d.evpids().size();
                case AgentToQueue.Release r -> {
                    assertThat(r.key()).isEqualTo(hold.key());
                    released = true;
                    all = r.count() == 0;
                }
                default -> throw new AssertionError();
            }
        }
        assertThat(released).isTrue();
    }

    @Test
    void aUserHasSevenSessionsAndTheOthersWait() throws Exception {
        configure("limit mda max-session-per-user 2\naccept for local deliver to maildir\n");
        for (int i = 0; i < 6; i++) {
            send(
                    envelope("bob")
                            .mdaMethod(MdaMethod.MDA)
                            .mdaRaw(false)
                            .mdaBuffer(
                                    "cat >/dev/null; echo x >> started; while ! [ -e go ]; do sleep 0.05; done")
                            .build());
        }
        answerUser();
        Path started = home("bob").resolve("started");
        await().until(() -> Files.exists(started) && Files.readAllLines(started).size() == 2);
        assertThat(harness.onLoop(() -> harness.process().running())).isEqualTo(2);
        Files.writeString(home("bob").resolve("go"), "");
        int done = 0;
        while (done < 6) {
            done += ((AgentToQueue.Delivered) result()).evpids().size();
        }
        assertThat(Files.readAllLines(started)).hasSize(6);
    }

    @Test
    void oneFileHasOneWriter() throws Exception {
        configure("accept for local deliver to mbox\n");
        for (int i = 0; i < 40; i++) {
            send(envelope("bob").mdaMethod(MdaMethod.MBOX).mdaBuffer("").mdaRaw(false).build());
        }
        answerUser();
        int done = 0;
        while (done < 40) {
            done += ((AgentToQueue.Delivered) result()).evpids().size();
        }
        Path box = dir.resolve("mail/bob");
        assertThat(Files.readString(box).split("From ann@far.example ", -1)).hasSize(41);
        assertThat(Files.getAttribute(box, "unix:uid")).isEqualTo(uid("bob"));
    }

    @Test
    void unreadableEnvelopesAreAnswered() throws Exception {
        configure("accept for local deliver to maildir\n");
        Msgid msgid = new Msgid(9);
        queue.send(
                0,
                transfer(
                        msgid,
                        ContentForm.INLINE,
                        new StoredEnvelope(Evpid.of(msgid, 1), bytes("nonsense"))));
        assertThat(((AgentToQueue.Deferred) result()).text()).isEqualTo("envelope cannot be read");
    }

    @Test
    void theWholeHasALimitAndUsersTakeTurns() throws Exception {
        configure(
                "limit mda max-session 3 max-session-per-user 3\n"
                        .concat("accept for local deliver to maildir\n"));
        for (String user : List.of("bob", "bob", "bob", "bob", "eve", "eve")) {
            send(
                    envelope(user)
                            .mdaMethod(MdaMethod.MDA)
                            .mdaRaw(false)
                            .mdaBuffer(
                                    "cat >/dev/null; echo x >> started; while ! [ -e "
                                            + dir.resolve("go")
                                            + " ]; do sleep 0.05; done")
                            .build());
        }
        Harness.Received first = lka.expect(MdaToLka.UserInfo.class);
        Harness.Received second = lka.expect(MdaToLka.UserInfo.class);
        answerUser(first);
        Path bobs = home("bob").resolve("started");
        await().until(() -> Files.exists(bobs) && Files.readAllLines(bobs).size() == 3);
        answerUser(second);
        assertThat(harness.onLoop(() -> harness.process().running())).isEqualTo(3);
        Files.createFile(dir.resolve("go"));
        int done = 0;
        while (done < 6) {
            done += ((AgentToQueue.Delivered) result()).evpids().size();
        }
        assertThat(Files.readAllLines(home("eve").resolve("started"))).hasSize(2);
    }

    @Test
    void stopWaitsForWhatRunsAndEndsCommandsAtTheDeadline() throws Exception {
        configure("accept for local deliver to maildir\n");
        send(
                envelope("bob")
                        .mdaMethod(MdaMethod.MDA)
                        .mdaRaw(false)
                        .mdaBuffer("echo $$ > pid; exec sleep 1000")
                        .build());
        answerUser();
        Path pid = home("bob").resolve("pid");
        await().until(() -> Files.exists(pid) && Files.size(pid) > 1);
        harness.parent().send(0, new ParentToChild.Stop(300));
        assertThat(harness.awaitEnd()).isZero();
        long number = Long.parseLong(Files.readString(pid).strip());
        await().until(() -> ProcessHandle.of(number).isEmpty());
        assertThat(queue.drain()).noneMatch(r -> r.message() instanceof AgentToQueue.Deferred);
    }

    @Test
    void stopWithNothingToDoIsAtOnce() throws Exception {
        configure("accept for local deliver to maildir\n");
        harness.parent().send(0, new ParentToChild.Stop(30_000));
        assertThat(harness.awaitEnd()).isZero();
    }

    @Test
    void stopBeforeTheFirstConfigurationIsAtOnce() {
        harness.parent().send(0, new ParentToChild.Stop(30_000));
        assertThat(harness.awaitEnd()).isZero();
    }
}
