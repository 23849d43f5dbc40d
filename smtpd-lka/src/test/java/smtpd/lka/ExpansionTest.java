package smtpd.lka;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.conf.Action;
import smtpd.conf.Delivery;
import smtpd.conf.Dialect;
import smtpd.conf.Expansion;
import smtpd.conf.RelayUrl;
import smtpd.conf.Retry;
import smtpd.conf.Route;
import smtpd.conf.TlsPolicy;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.RelayFlag;
import smtpd.imsg.ParentToLka.ForwardStatus;
import smtpd.imsg.SocketAddr;
import smtpd.lka.table.UserAnswer;
import smtpd.mail.MailAddress;
import smtpd.sys.Users;
import smtpd.table.TableRef;

/** What becomes of a recipient, seen from outside the process. */
class ExpansionTest {

    private static final String DEAD_END = "EXPANSION 524 Mailing list expansion problem 5.2.4";
    private static final String UNREADABLE = "EXPANSION 424 Mailing list expansion problem 4.2.4";
    private static final String UNKNOWN = "UNKNOWN_USER 550 Invalid recipient 5.1.1";
    private static final String DENIED = "RELAY_DENIED 550 Invalid recipient 5.7.1";
    private static final String NO_ANSWER = "TABLE 451 Temporary failure 4.3.0";
    private static final String MISCONFIGURED = "CONFIG 451 Temporary failure 4.3.5";

    @TempDir Path folder;
    private House house;

    @AfterEach
    void stop() {
        if (house != null) {
            house.close();
        }
    }

    // ---- rules

    @Test
    void localUserGetsOneEnvelopeWithAllThatTheMailboxNeeds() {
        start("accept from any for domain \"here.example\" deliver to maildir \"~/Mail\"");
        Envelope envelope = house.expand("Bob@Here.example").envelopes().getFirst();
        assertThat(envelope.type()).isEqualTo(EnvelopeType.MDA);
        assertThat(envelope.version()).isEqualTo(2);
        assertThat(envelope.action()).matches("@[0-9a-f]{16}");
        assertThat(envelope.tag()).isEqualTo("lan");
        assertThat(envelope.smtpname()).isEqualTo("mx.here.example");
        assertThat(envelope.helo()).isEqualTo("client.example");
        assertThat(envelope.hostname()).isEqualTo("<unknown>");
        assertThat(envelope.sockaddr()).isEqualTo("192.0.2.17");
        assertThat(envelope.sender()).isEqualTo(new MailAddress("zed", "far.example"));
        assertThat(envelope.rcpt()).isEqualTo(new MailAddress("Bob", "Here.example"));
        assertThat(envelope.dest()).isEqualTo(new MailAddress("Bob", "Here.example"));
        assertThat(envelope.mda().user()).isEqualTo("bob");
        assertThat(envelope.mda().usertable()).isEqualTo("<getpwnam>");
        assertThat(envelope.mda().buffer()).isEqualTo("~/Mail");
        assertThat(envelope.mda().isRaw()).isTrue();
        assertThat(envelope.flags()).isEmpty();
        assertThat(envelope.expire()).isEqualTo(Duration.ofDays(4));
        assertThat(envelope.ctime()).isPositive();
    }

    @Test
    void unknownUserIsRefusedForGood() {
        start("accept from any for domain \"here.example\" deliver to mbox");
        assertThat(refusal("nobody@here.example")).isEqualTo(UNKNOWN);
        assertThat(refusal("x".repeat(250) + "@here.example")).isEqualTo(UNKNOWN);
    }

    @Test
    void foreignRecipientOfAForeignClientIsNeverRelayed() {
        start("accept from any for domain \"here.example\" deliver to mbox\naccept for any relay");
        assertThat(refusal("x@elsewhere.example")).isEqualTo(DENIED);
        house.client = SocketAddr.LOCAL;
        assertThat(house.expand("x@elsewhere.example").lines())
                .containsExactly("mta x@elsewhere.example");
        house.client = new SocketAddr(new byte[] {127, 0, 0, 1}, 25, 0);
        assertThat(house.expand("y@elsewhere.example").lines())
                .containsExactly("mta y@elsewhere.example");
        house.client = House.OUTSIDE;
        house.login = "bob";
        assertThat(house.expand("z@elsewhere.example").lines())
                .containsExactly("mta z@elsewhere.example");
    }

    @Test
    void firstRuleThatMatchesDecides() {
        start(
                """
                reject from any for domain "bad.example"
                accept from any for domain { "*.example" } deliver to mbox
                """);
        assertThat(refusal("bob@bad.example")).isEqualTo(DENIED);
        assertThat(house.expand("bob@good.example").lines()).hasSize(1);
        assertThat(refusal("bob@good.test")).isEqualTo(DENIED);
    }

    @Test
    void ownNamesAndAddressesAreLocal() {
        start("accept from any for local deliver to mbox");
        for (String domain :
                List.of("localhost", "MX.here.example", "mx", "[127.0.0.1]", "127.0.0.1")) {
            assertThat(house.expand("bob@" + domain).lines()).as(domain).hasSize(1);
        }
        assertThat(refusal("bob@here.example")).isEqualTo(DENIED);
    }

    // ---- aliases

    @Test
    void aliasReplacesTheUserAndKeepsTheOrderOfTheText() {
        aliases("sales: carl, bob, x@far.example, ann\n");
        assertThat(house.expand("sales@here.example").lines())
                .containsExactly(
                        "mda sales@here.example carl mbox ",
                        "mda sales@here.example bob mbox ",
                        "mta x@far.example",
                        "mda sales@here.example ann mbox ");
    }

    @Test
    void aliasThatNamesItselfStopsThereAndStillConsultsTheForward() {
        aliases("bob: bob, x@far.example\n");
        house.forwards.put("bob", "bob, x@far.example\n");
        assertThat(house.expand("bob@here.example").lines())
                .containsExactly("mda bob@here.example bob mbox ", "mta x@far.example");
        assertThat(house.opened).containsExactly("bob");
    }

    @Test
    void aliasCycleIsADeadEndAtOnce() {
        aliases("a: b\nb: a\n");
        assertThat(refusal("a@here.example")).isEqualTo(DEAD_END);
    }

    @Test
    void oneUnknownUserInAListRefusesTheWholeRecipient() {
        aliases("team: bob, nobody\n");
        assertThat(refusal("team@here.example")).isEqualTo(UNKNOWN);
        assertThat(house.expand("bob@here.example").lines()).hasSize(1);
    }

    @Test
    void malformedAliasIsTemporary() {
        aliases("team: 'x\nok: bob\n");
        assertThat(refusal("team@here.example")).isEqualTo(UNREADABLE);
        assertThat(house.expand("ok@here.example").lines()).hasSize(1);
    }

    @Test
    void aliasPipesAndFilesRunAsAnAccountWithoutRights() {
        aliases("robot: \"|/bin/f a, %{sender}\", /var/log/robot\n");
        List<Envelope> envelopes = house.expand("robot@here.example").envelopes();
        assertThat(house.expand("robot@here.example").lines())
                .containsExactly(
                        "mda robot@here.example _smtpd mda /bin/f a, %{sender}",
                        "mda robot@here.example _smtpd filename /var/log/robot");
        assertThat(envelopes.get(0).mda().isRaw()).isTrue();
        assertThat(envelopes.get(1).mda().isRaw()).isFalse();
    }

    @Test
    void aliasPipesOfAVirtualUserbaseStillRunAsASystemAccount() {
        start(
                """
                table a { robot = "|/bin/f" }
                table users { vera = "5000:5000:/srv/vera" }
                mda alias-user carl
                accept from any for domain "here.example" alias <a> userbase <users> deliver to maildir
                """);
        Envelope robot = house.expand("robot@here.example").envelopes().getFirst();
        assertThat(robot.mda().user()).isEqualTo("carl");
        assertThat(robot.mda().usertable()).isEqualTo("<getpwnam>");
        Envelope vera = house.expand("vera@here.example").envelopes().getFirst();
        assertThat(vera.mda().usertable()).isEqualTo("users");
        assertThat(vera.mda().buffer()).isEqualTo("~/Maildir");
        assertThat(refusal("bob@here.example")).isEqualTo(UNKNOWN);
    }

    @Test
    void rootGetsNoFilesAndCommandsButMayForward() {
        aliases("root: \"|cmd\"\n");
        assertThat(refusal("root@here.example")).isEqualTo(MISCONFIGURED);
        house.close();
        aliases("x: bob\n");
        house.forwards.put("root", "\"|cmd\"\n");
        assertThat(refusal("root@here.example")).isEqualTo(MISCONFIGURED);
        house.forwards.put("root", "/root/mail\n");
        assertThat(refusal("root@here.example")).isEqualTo(MISCONFIGURED);
        house.forwards.put("root", "ann\n");
        assertThat(house.expand("root@here.example").lines())
                .containsExactly("mda root@here.example ann mbox ");
    }

    @Test
    void rootIsDeliveredToByMboxOnly() {
        start("accept from any for domain \"here.example\" deliver to maildir");
        assertThat(refusal("root@here.example"))
                .isEqualTo("ERROR 550 5.7.1 not allowed to deliver to: root ");
        house.close();
        start("accept from any for domain \"here.example\" deliver to mbox");
        assertThat(house.expand("root@here.example").lines()).hasSize(1);
    }

    @Test
    void errorEntryRefusesWithItsOwnWords() {
        aliases("gone: error:550 5.1.1 Ann left us\nlater: \"error:450 try, later\"\n");
        assertThat(refusal("gone@here.example")).isEqualTo("ERROR 550 5.1.1 Ann left us ");
        assertThat(refusal("later@here.example")).isEqualTo("ERROR 450 try, later ");
    }

    // ---- included lists

    @Test
    void includedListIsReadWithItsComments() throws IOException {
        Path list = folder.resolve("list");
        Files.writeString(list, "# team\nbob, ann # two\n\nx@far.example\n:include:/etc/passwd\n");
        aliases("team: :include:" + list + "\n");
        assertThat(house.expand("team@here.example").lines())
                .containsExactly(
                        "mda team@here.example bob mbox ",
                        "mda team@here.example ann mbox ",
                        "mta x@far.example");
    }

    @Test
    void missingListIsTemporaryWhenNothingElseIsLeft() throws IOException {
        aliases(
                "team: :include:%s/none\npart: bob, :include:%s/none\nfifo: :include:%s\n"
                        .formatted(folder, folder, folder));
        assertThat(refusal("team@here.example")).isEqualTo(UNREADABLE);
        assertThat(house.expand("part@here.example").lines()).hasSize(1);
        assertThat(refusal("fifo@here.example")).isEqualTo(UNREADABLE);
    }

    @Test
    void badLineOfAListIsTemporary() throws IOException {
        Path list = folder.resolve("list");
        Files.writeString(list, "bob\n'x\n");
        aliases("team: :include:" + list + "\n");
        assertThat(refusal("team@here.example")).isEqualTo(UNREADABLE);
    }

    @Test
    void veryLongListsGoToTheQueueInPartsAndOverlongOnesAreRefused() throws IOException {
        Path list = folder.resolve("list");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 2_000; i++) {
            text.append("user").append(i).append("@far.example\n");
        }
        Files.writeString(list, text);
        aliases("team: :include:" + list + "\n");
        List<Envelope> envelopes = house.expand("team@here.example").envelopes();
        assertThat(envelopes).hasSize(2_000);
        assertThat(envelopes.get(1_999).dest().local()).isEqualTo("user1999");
        text.append("u@far.example,".repeat(1));
        for (int i = 2_000; i < 10_001; i++) {
            text.append("user").append(i).append("@far.example\n");
        }
        Files.writeString(list, text);
        assertThat(refusal("team@here.example")).isEqualTo(DEAD_END);
    }

    // ---- .forward

    @Test
    void forwardNamesMailboxAndCommandOnceEachAndBothRunAsTheOwner() {
        mbox();
        house.forwards.put("bob", "bob, \"|cmd\"\n\"|cmd\", bob\n");
        assertThat(house.expand("bob@here.example").lines())
                .containsExactly(
                        "mda bob@here.example bob mbox ", "mda bob@here.example bob mda cmd");
    }

    @Test
    void forwardReplacesTheMailboxUnlessItNamesIt() {
        mbox();
        house.forwards.put("bob", "x@far.example\n");
        Envelope forwarded = house.expand("bob@here.example").envelopes().getFirst();
        assertThat(forwarded.type()).isEqualTo(EnvelopeType.MTA);
        assertThat(forwarded.has(EnvelopeFlag.INTERNAL)).isTrue();
        assertThat(forwarded.rcpt()).isEqualTo(new MailAddress("bob", "here.example"));
    }

    @Test
    void forwardToTheOutsideNeedsARuleThatLocalMailMatches() {
        start("accept from any for domain \"here.example\" deliver to mbox");
        house.forwards.put("bob", "x@far.example\n");
        assertThat(refusal("bob@here.example")).isEqualTo(DENIED);
    }

    @Test
    void emptyForwardIsAsNone() {
        mbox();
        for (String text : List.of("", "# nothing\n\n", ":include:/etc/passwd\n", ",,\n")) {
            house.forwards.put("bob", text);
            assertThat(house.expand("bob@here.example").lines())
                    .as(text)
                    .containsExactly("mda bob@here.example bob mbox ");
        }
    }

    @Test
    void forwardThatIsTooLargeOrMalformedIsTemporary() {
        mbox();
        house.forwards.put("bob", "'x\n");
        assertThat(refusal("bob@here.example")).isEqualTo(UNREADABLE);
        house.forwards.put("bob", "u@far.example\n".repeat(101));
        assertThat(refusal("bob@here.example")).isEqualTo(UNREADABLE);
        house.forwards.put("bob", "ann\n#" + "x\n#".repeat(1363));
        assertThat(house.forwards.get("bob")).hasSize(4094);
        assertThat(house.expand("bob@here.example").lines()).hasSize(1);
        house.forwards.put("bob", "ann\n##" + "x\n#".repeat(1363));
        assertThat(house.expand("bob@here.example").lines()).hasSize(1);
        house.forwards.put("bob", "ann\n###" + "x\n#".repeat(1363));
        assertThat(house.forwards.get("bob")).hasSize(4096);
        assertThat(refusal("bob@here.example")).isEqualTo(UNREADABLE);
    }

    @Test
    void forwardThatCannotBeOpenedSafelyIsTemporary() {
        mbox();
        house.unopened.put("bob", ForwardStatus.UNSAFE);
        assertThat(refusal("bob@here.example")).isEqualTo(UNREADABLE);
        house.unopened.put("bob", ForwardStatus.TEMPORARY);
        assertThat(refusal("bob@here.example")).isEqualTo(UNREADABLE);
    }

    @Test
    void addressesThatForwardToEachOtherAreStoppedByDepth() {
        mbox();
        house.forwards.put("ann", "bob@here.example\n");
        house.forwards.put("bob", "ann@here.example\n");
        assertThat(refusal("ann@here.example")).isEqualTo(DEAD_END);
    }

    @Test
    void ownNameWithATagIsDeliveredWithTheTagAndNotForwardedAgain() {
        mbox();
        house.forwards.put("bob", "bob+lists, ann\n");
        assertThat(house.expand("bob+x@here.example").lines())
                .containsExactly(
                        "mda bob+x@here.example bob +lists mbox ",
                        "mda bob+x@here.example ann mbox ");
        assertThat(house.opened).containsExactly("bob", "ann");
    }

    @Test
    void ruleForAnotherUserSkipsTheForward() {
        house =
                new House(
                        House.oneRule(
                                Dialect.CLASSIC,
                                local(new Delivery.Maildir(Optional.empty(), false), "carl")),
                        null,
                        Optional.empty());
        house.forwards.put("bob", "ann\n");
        Envelope envelope = house.expand("bob@here.example").envelopes().getFirst();
        assertThat(envelope.mda().user()).isEqualTo("bob");
        assertThat(envelope.mda().deliveryUser()).isEqualTo("carl");
        assertThat(house.opened).isEmpty();
    }

    @Test
    void forwardOnlyAndExpandOnlyNeedAForward() {
        start(
                """
                accept from any for domain "fwd.example" forward-only
                accept from any for domain "exp.example"
                accept for any relay
                """);
        assertThat(refusal("bob@fwd.example")).isEqualTo(UNREADABLE);
        assertThat(refusal("bob@exp.example")).isEqualTo(DEAD_END);
        house.forwards.put("bob", "x@far.example\n");
        assertThat(house.expand("bob@fwd.example").lines()).containsExactly("mta x@far.example");
        assertThat(house.expand("bob@exp.example").lines()).containsExactly("mta x@far.example");
        house.forwards.put("bob", "|cmd\n");
        assertThat(refusal("bob@fwd.example")).isEqualTo(MISCONFIGURED);
        assertThat(house.expand("bob@exp.example").lines())
                .containsExactly("mda bob@exp.example bob mda cmd");
        house.forwards.put("bob", "error:550 no\n");
        assertThat(refusal("bob@fwd.example")).isEqualTo(MISCONFIGURED);
    }

    // ---- tags

    @Test
    void tagComesFromTheLastUser() {
        aliases("info: bob+news\nsales+vip: ann\nsales: carl\n");
        assertThat(house.expand("bob+a+b@here.example").lines())
                .containsExactly("mda bob+a+b@here.example bob +a+b mbox ");
        assertThat(house.expand("info+x@here.example").lines())
                .containsExactly("mda info+x@here.example bob +news mbox ");
        assertThat(house.expand("sales+vip@here.example").lines())
                .containsExactly("mda sales+vip@here.example ann mbox ");
        assertThat(house.expand("sales+other@here.example").lines())
                .containsExactly("mda sales+other@here.example carl mbox ");
    }

    @Test
    void emptyTagIsNoTagAndEmptyUserIsNobody() {
        mbox();
        assertThat(house.expand("bob+@here.example").lines())
                .containsExactly("mda bob+@here.example bob mbox ");
        assertThat(refusal("+x@here.example")).isEqualTo(UNKNOWN);
        assertThat(refusal("../bob@here.example")).isEqualTo(UNKNOWN);
        assertThat(refusal("-bob@here.example")).isEqualTo(UNKNOWN);
    }

    // ---- virtual tables

    @Test
    void virtualTableIsSearchedFromTheExactAddressToTheCatchAll() {
        start(
                """
                table v { "sales@here.example" = "bob", "bob+x" = "ann", "info" = "carl", "@other.example" = "ann" }
                accept from any for domain { "here.example", "other.example" } virtual <v> deliver to mbox
                """);
        assertThat(house.expand("Sales+t@here.example").lines())
                .containsExactly("mda Sales+t@here.example bob mbox ");
        assertThat(house.expand("info@here.example").lines())
                .containsExactly("mda info@here.example carl mbox ");
        assertThat(house.expand("what.ever@other.example").lines())
                .containsExactly("mda what.ever@other.example ann mbox ");
        assertThat(refusal("nobody@here.example")).isEqualTo(DEAD_END);
    }

    @Test
    void virtualChainMayBeNineLevelsDeepButNotTen() {
        start(
                """
                table v { a1 = a2, a2 = a3, a3 = a4, a4 = a5, a5 = a6, a6 = a7, a7 = a8, a8 = bob, a0 = a1 }
                accept from any for domain "here.example" virtual <v> deliver to mbox
                """);
        // a1@ is level 0, a2 level 1, a8 level 7, bob level 8; a0 makes it level 9.
        assertThat(house.expand("a0@here.example").lines()).hasSize(1);
        house.close();
        start(
                """
                table v { a1 = a2, a2 = a3, a3 = a4, a4 = a5, a5 = a6, a6 = a7, a7 = a8, a8 = bob, a0 = a1, b0 = a0 }
                accept from any for domain "here.example" virtual <v> deliver to mbox
                """);
        assertThat(refusal("b0@here.example")).isEqualTo(DEAD_END);
    }

    // ---- users

    @Test
    void userDatabaseThatFailsIsTemporaryAndNeverUnknown() {
        mbox();
        house.brokenUsers.add("bob");
        assertThat(refusal("bob@here.example")).isEqualTo(NO_ANSWER);
        house.brokenUsers.clear();
        assertThat(house.expand("bob@here.example").lines()).hasSize(1);
    }

    @Test
    void malformedUserOfATableIsTemporary() throws IOException {
        Path users = folder.resolve("users");
        Files.writeString(users, "a x:1:/home/a\nb 1:1:home\nc 4294967295:1:/c\nd 1:1:/a/../b\n");
        start(
                "table users file:"
                        + users
                        + "\naccept from any for domain \"here.example\" userbase <users> deliver to"
                        + " maildir");
        for (String user : List.of("a", "b", "c", "d")) {
            assertThat(refusal(user + "@here.example")).as(user).isEqualTo(NO_ANSWER);
        }
        assertThat(refusal("e@here.example")).isEqualTo(UNKNOWN);
    }

    @Test
    void realUsersOfThisSystemAreFound() {
        house =
                new House(
                        "accept from any for domain \"here.example\" deliver to mbox",
                        Users::byName,
                        Optional.empty());
        assertThat(house.expand("root@here.example").lines())
                .containsExactly("mda root@here.example root mbox ");
        assertThat(house.expand("nobody@here.example").envelopes()).hasSize(1);
        assertThat(refusal("no-such-user-here@here.example")).isEqualTo(UNKNOWN);
    }

    @Test
    void instanceOfAPlainUserDeliversToThatUserOnly() {
        house =
                new House(
                        """
                        table a { robot = "|cmd" }
                        accept from any for domain "here.example" alias <a> deliver to maildir
                        """,
                        name ->
                                Optional.of(
                                        new smtpd.sys.User(
                                                name, name.equals("me") ? 1000 : 1, 1, "/h", "")),
                        Optional.of(new UserAnswer.Found("me", 1000, 1000, "/home/me")));
        assertThat(house.expand("me@here.example").lines()).hasSize(1);
        assertThat(refusal("bob@here.example"))
                .isEqualTo("ERROR 550 5.7.1 this instance delivers only to me ");
        assertThat(house.expand("robot@here.example").lines())
                .containsExactly("mda robot@here.example me mda cmd");
    }

    // ---- relayed

    @Test
    void relayedEnvelopeOfAClassicRuleHoldsTheWholeMethod() throws RelayUrl.Malformed {
        relay(
                Dialect.CLASSIC,
                new Route.Host(RelayUrl.parseClassic("tls+auth://isp@smtp.isp.example:587")),
                TlsPolicy.VERIFIED);
        Envelope envelope = house.expand("x@a.example").envelopes().getFirst();
        assertThat(envelope.mta().relay()).isEqualTo("tls+auth://isp@smtp.isp.example:587");
        assertThat(envelope.mta().auth()).isEqualTo("secrets");
        assertThat(envelope.mta().heloname()).isEqualTo("out.example");
        assertThat(envelope.mta().flags())
                .containsExactlyInAnyOrder(RelayFlag.TLS, RelayFlag.VERIFY);
        assertThat(envelope.sender()).isEqualTo(new MailAddress("zed", "out.example"));
        house.sender = MailAddress.NULL;
        assertThat(house.expand("x@a.example").envelopes().getFirst().isNullSender()).isTrue();
    }

    @Test
    void relayedEnvelopesByMxBackupAndTable() {
        relay(Dialect.CLASSIC, new Route.Mx(), TlsPolicy.OPPORTUNISTIC);
        Envelope mx = house.expand("x@a.example").envelopes().getFirst();
        assertThat(mx.mta().relay()).isEmpty();
        assertThat(mx.mta().flags()).isEmpty();
        house.close();
        relay(Dialect.CLASSIC, new Route.Backup(Optional.empty()), TlsPolicy.OPPORTUNISTIC);
        assertThat(house.expand("x@a.example").envelopes().getFirst().mta().relay())
                .isEqualTo("backup://mx.here.example");
        house.close();
        relay(Dialect.CLASSIC, new Route.ByDomain(new TableRef("hosts")), TlsPolicy.OPPORTUNISTIC);
        assertThat(house.expand("x@a.example").envelopes().getFirst().mta().relayTable())
                .isEqualTo("hosts");
    }

    @Test
    void envelopeOfAModernRuleNamesItsActionAlone() {
        relay(Dialect.MODERN, new Route.Backup(Optional.empty()), TlsPolicy.VERIFIED);
        Envelope out = house.expand("x@a.example").envelopes().getFirst();
        assertThat(out.version()).isEqualTo(3);
        assertThat(out.action()).isEqualTo("out");
        assertThat(out.mta().relay()).isEmpty();
        assertThat(out.sender()).isEqualTo(new MailAddress("zed", "far.example"));
        house.close();
        Action.Local local = local(new Delivery.Maildir(Optional.empty(), false), null);
        house = new House(House.oneRule(Dialect.MODERN, local), null, Optional.empty());
        house.forwards.put("bob", "bob, |cmd, /home/bob/box\n");
        assertThat(house.expand("bob@a.example").lines())
                .containsExactly(
                        "mda bob@a.example bob exec",
                        "mda bob@a.example bob execcmd",
                        "mda bob@a.example bob filename /home/bob/box");
    }

    private void relay(Dialect dialect, Route route, TlsPolicy tls) {
        Action action =
                new Action.Remote(
                        "out",
                        route,
                        tls,
                        Optional.of(new TableRef("secrets")),
                        Optional.empty(),
                        Optional.of("out.example"),
                        Optional.empty(),
                        Optional.of(new MailAddress("", "out.example")),
                        Optional.empty(),
                        Retry.DEFAULT);
        house = new House(House.oneRule(dialect, action), null, Optional.empty());
    }

    private static Action.Local local(Delivery delivery, String user) {
        return new Action.Local(
                "in",
                delivery,
                new Expansion.None(),
                Optional.empty(),
                Optional.ofNullable(user),
                Optional.empty(),
                Retry.DEFAULT);
    }

    private void mbox() {
        start("accept from any for domain \"here.example\" deliver to mbox\naccept for any relay");
    }

    private void aliases(String text) {
        Path file = folder.resolve("aliases");
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        start(
                "table aliases file:"
                        + file
                        + "\naccept from any for domain \"here.example\" alias <aliases> deliver to"
                        + " mbox\naccept for any relay");
    }

    private void start(String config) {
        house = new House(config + "\n");
    }

    private String refusal(String rcpt) {
        return house.expand(rcpt).refusal();
    }
}
