package smtpd.queue.bounce;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import smtpd.envelope.BounceType;
import smtpd.envelope.ContentFacts;
import smtpd.envelope.DsnReturn;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeBuilder;
import smtpd.envelope.EnvelopeFlag;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Msgid;
import smtpd.envelope.Need;
import smtpd.mail.MailAddress;

/** Notices, read back by a parser that shares nothing with the writer. */
final class NoticeWriterTest {

    private static final Msgid NOTICE = Msgid.parse("5d10c7e9");
    private static final Msgid ORIGINAL = Msgid.parse("ab12cd34");
    private static final Instant NOW = Instant.parse("2026-01-01T01:01:41Z");
    private static final String HEADER =
            """
            Received: from client.example.org (client.example.org [192.0.2.1])
            \tby mx1.example.org with ESMTP id ab12cd34;
            \tThu, 1 Jan 2026 00:00:00 +0000
            Subject: Invoice 12
            Message-ID: <a1@client.example.org>
            """;

    private final NoticeWriter writer = new NoticeWriter("mx1.example.org", ZoneOffset.UTC);

    private static EnvelopeBuilder report() {
        return Envelope.builder()
                .version(2)
                .type(EnvelopeType.BOUNCE)
                .bounceType(BounceType.FAILED)
                .smtpname("mx1.example.org")
                .helo("localhost")
                .hostname("localhost")
                .sender(MailAddress.split("bob@example.org"))
                .rcpt(MailAddress.split("zed@example.com"))
                .dest(MailAddress.split("zed@example.com"))
                .ctime(NOW.getEpochSecond() - 1)
                .expire(Envelope.BOUNCE_EXPIRE)
                .errorline("550 5.1.1 no such user here")
                .enhancedStatus("5.1.1")
                .remoteMta("mx.example.com [192.0.2.25]");
    }

    private static OriginalMessage original(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return OriginalMessage.of(bytes, 0, bytes.length, bytes.length);
    }

    private String write(OriginalMessage original, Envelope... reports) {
        byte[] notice = writer.write(NOTICE, ORIGINAL, List.of(reports), original, NOW);
        for (String line : new String(notice, StandardCharsets.ISO_8859_1).split("\n", -1)) {
            assertThat(line.length()).isLessThanOrEqualTo(998);
            assertThat(line).doesNotContain("\r");
        }
        return new String(notice, StandardCharsets.UTF_8);
    }

    // ---- an independent reader

    private record Entity(Map<String, String> fields, String body) {
        String field(String name) {
            return fields.getOrDefault(name.toLowerCase(java.util.Locale.ROOT), "");
        }
    }

    private static Entity entity(String text) {
        int end = text.indexOf("\n\n");
        String header = end < 0 ? text : text.substring(0, end + 1);
        Map<String, String> fields = new LinkedHashMap<>();
        for (String line : header.replaceAll("\n[ \t]+", " ").split("\n")) {
            int colon = line.indexOf(':');
            assertThat(colon).as(line).isPositive();
            String old =
                    fields.put(
                            line.substring(0, colon).toLowerCase(java.util.Locale.ROOT),
                            line.substring(colon + 1).strip());
            assertThat(old).as("twice: " + line).isNull();
        }
        return new Entity(fields, end < 0 ? "" : text.substring(end + 2));
    }

    private static List<Entity> parts(Entity message) {
        String type = message.field("Content-Type");
        assertThat(type).startsWith("multipart/report; report-type=delivery-status;");
        String boundary = type.replaceAll(".*boundary=\"(.*)\"", "$1");
        List<Entity> parts = new ArrayList<>();
        String[] cut =
                ("\n" + message.body()).split("\n--" + java.util.regex.Pattern.quote(boundary));
        assertThat(cut[cut.length - 1]).isEqualTo("--\n");
        for (int i = 1; i < cut.length - 1; i++) {
            assertThat(cut[i]).startsWith("\n");
            parts.add(entity(cut[i].substring(1)));
        }
        assertThat(parts).hasSize(3);
        return parts;
    }

    /** Groups of a delivery-status: about the message, then about each recipient. */
    private static List<Entity> status(Entity part) {
        List<Entity> groups = new ArrayList<>();
        for (String group : part.body().strip().split("\n\n")) {
            groups.add(entity(group + "\n"));
        }
        return groups;
    }

    // ---- the samples

    @Test
    void aFailureReadsLikeTheSample() {
        String notice =
                write(
                        original(HEADER + "\nbody\n"),
                        report().dsnEnvid("QQ31").dsnOrcpt("rfc822;zed@example.com").build());
        assertThat(notice)
                .isEqualTo(
                        """
                        Date: Thu, 1 Jan 2026 01:01:41 +0000
                        From: Mail Delivery System <MAILER-DAEMON@mx1.example.org>
                        To: <bob@example.org>
                        Subject: Mail not delivered: zed@example.com
                        Message-ID: <5d10c7e9.1767229301@mx1.example.org>
                        In-Reply-To: <a1@client.example.org>
                        Auto-Submitted: auto-replied
                        MIME-Version: 1.0
                        Content-Type: multipart/report; report-type=delivery-status;
                         boundary="=_5d10c7e9"

                        --=_5d10c7e9
                        Content-Type: text/plain; charset=utf-8

                        This is the mail system of mx1.example.org. Please do not answer this mail.

                        Your mail "Invoice 12" of Thu, 1 Jan 2026 00:00:00 +0000 was not delivered to:

                          <zed@example.com>
                            The address does not exist there.
                            mx.example.com [192.0.2.25] said: 550 5.1.1 no such user here
                            What to do: check the address for typing errors, then send it again.

                        It will not be tried again. If you need help, write to
                        postmaster@mx1.example.org and quote the mail id ab12cd34.

                        --=_5d10c7e9
                        Content-Type: message/delivery-status

                        Reporting-MTA: dns; mx1.example.org
                        Original-Envelope-Id: QQ31
                        Arrival-Date: Thu, 1 Jan 2026 00:00:00 +0000

                        Original-Recipient: rfc822; zed@example.com
                        Final-Recipient: rfc822; zed@example.com
                        Action: failed
                        Status: 5.1.1
                        Remote-MTA: dns; mx.example.com
                        Diagnostic-Code: smtp; 550 5.1.1 no such user here
                        Last-Attempt-Date: Thu, 1 Jan 2026 01:01:40 +0000

                        --=_5d10c7e9
                        Content-Type: text/rfc822-headers

                        """
                                + HEADER
                                + "--=_5d10c7e9--\n");
    }

    @Test
    void aDelayTellsHowLongAndUntilWhen() {
        Entity message =
                entity(
                        write(
                                original(HEADER + "\nbody\n"),
                                report().bounceType(BounceType.DELAYED)
                                        .errorline("451 4.7.1 greylisted")
                                        .enhancedStatus("4.7.1")
                                        .bounceDelay(Duration.ofHours(4))
                                        .bounceExpire(Duration.ofDays(4))
                                        .build()));
        assertThat(message.field("Subject"))
                .isEqualTo("Mail delayed, still trying: zed@example.com");
        List<Entity> parts = parts(message);
        assertThat(parts.get(0).body())
                .contains("could not be delivered for 4 hours to:")
                .contains("You need do nothing. It is tried again until")
                .contains("then you get one more report.")
                .doesNotContain("What to do");
        Entity recipient = status(parts.get(1)).get(1);
        assertThat(recipient.field("Action")).isEqualTo("delayed");
        assertThat(recipient.field("Status")).isEqualTo("4.7.1");
        assertThat(recipient.field("Will-Retry-Until")).isEqualTo("Sun, 4 Jan 2026 21:01:40 +0000");
    }

    @Test
    void successIsToldInItsKinds() {
        Envelope base = report().errorline("250 2.0.0 ok").enhancedStatus("2.0.0").build();
        for (BounceType kind :
                List.of(BounceType.DELIVERED, BounceType.RELAYED, BounceType.EXPANDED)) {
            Entity message =
                    entity(
                            write(
                                    original(HEADER + "\nbody\n"),
                                    base.toBuilder().bounceType(kind).build()));
            assertThat(message.field("Subject")).startsWith(Wording.subject(kind) + ": ");
            Entity recipient = status(parts(message).get(1)).get(1);
            assertThat(recipient.field("Action")).isEqualTo(kind.text(3));
            assertThat(recipient.field("Status")).isEqualTo("2.0.0");
            assertThat(parts(message).get(2).field("Content-Type"))
                    .isEqualTo("text/rfc822-headers");
        }
        assertThat(write(original(HEADER), base.toBuilder().bounceType(BounceType.RELAYED).build()))
                .contains("was accepted by mx.example.com [192.0.2.25] for the\nrecipients below");
    }

    @Test
    void allFailedRecipientsStandInOneNotice() {
        Envelope[] reports = new Envelope[3];
        for (int i = 0; i < 3; i++) {
            MailAddress to = MailAddress.split("r" + i + "@example.com");
            reports[i] = report().rcpt(to).dest(to).build();
        }
        Entity message = entity(write(original(HEADER), reports));
        assertThat(message.field("Subject")).isEqualTo("Mail not delivered: 3 recipients");
        List<Entity> groups = status(parts(message).get(1));
        assertThat(groups).hasSize(4);
        assertThat(groups.get(3).field("Final-Recipient")).isEqualTo("rfc822; r2@example.com");
    }

    @Test
    void anExpiryTellsHowLongItWasTriedAndTheLastAnswerAsTheOtherSidesOwn() {
        Envelope expired =
                report().errorline("451 4.4.7 Envelope expired: 421 4.3.2 busy")
                        .enhancedStatus("4.4.7")
                        .bounceExpire(Duration.ofDays(4))
                        .build();
        List<Entity> parts = parts(entity(write(original(HEADER), expired)));
        assertThat(parts.get(0).body())
                .contains("It could not be delivered for 4 days.")
                .contains("mx.example.com [192.0.2.25] said: 421 4.3.2 busy");
        Entity recipient = status(parts.get(1)).get(1);
        assertThat(recipient.field("Status")).isEqualTo("4.4.7");
        assertThat(recipient.field("Diagnostic-Code")).isEqualTo("smtp; 421 4.3.2 busy");
        Envelope never =
                expired.toBuilder().remoteMta("").errorline("451 4.4.7 Envelope expired").build();
        recipient = status(parts(entity(write(original(HEADER), never))).get(1)).get(1);
        assertThat(recipient.field("Diagnostic-Code"))
                .isEqualTo("X-smtpd; 451 4.4.7 Envelope expired");
        assertThat(recipient.field("Remote-MTA")).isEmpty();
    }

    @Test
    void aStatusWithTwoDigitDetailComesFromTheReply() {
        Envelope nullMx = report().errorline("556 5.1.10 null mx").enhancedStatus("5.1.10").build();
        List<Entity> parts = parts(entity(write(original(HEADER), nullMx)));
        assertThat(status(parts.get(1)).get(1).field("Status")).isEqualTo("5.1.10");
        assertThat(parts.get(0).body()).contains("The domain does not exist or takes no mail.");
    }

    @Test
    void aForwardingIsNotRevealed() {
        Envelope forwarded =
                report().dest(MailAddress.split("secret@elsewhere.example"))
                        .flag(EnvelopeFlag.INTERNAL)
                        .build();
        assertThat(write(original(HEADER), forwarded)).doesNotContain("secret");
    }

    @Test
    void wholeMailComesBackOnlyIfAskedSmallAndNotProtected() {
        String mail = HEADER + "\n.dot\nbody\n";
        Envelope full = report().dsnRet(DsnReturn.FULL).build();
        Entity part = parts(entity(write(original(mail), full))).get(2);
        assertThat(part.field("Content-Type")).isEqualTo("message/rfc822");
        assertThat(part.body()).isEqualTo(mail);
        Entity protectedPart =
                parts(entity(write(original(mail), full.toBuilder().need(Need.REQUIRETLS).build())))
                        .get(2);
        assertThat(protectedPart.field("Content-Type")).isEqualTo("text/rfc822-headers");
        assertThat(protectedPart.body()).doesNotContain("body");
        String large = HEADER + "\n" + "x".repeat(70).concat("\n").repeat(1000);
        assertThat(write(original(large), full)).doesNotContain("xxxx");
    }

    @Test
    void hostileTextStaysOnItsLineAndIsBounded() {
        String header =
                "Subject: =?utf-8?B?YQ0KQmNjOiBldmlsQGV4YW1wbGUub3Jn?= \u202e"
                        + ("\n " + "=?".repeat(400)).repeat(30)
                        + "\nMessage-ID: <"
                        + "\u00e9@x>\n";
        Envelope hostile =
                report().errorline("550 5.7.1 " + "\u00fc".repeat(900))
                        .dsnEnvid("+0ABcc:+20evil")
                        .dsnOrcpt("rfc822;a+2Bb@example.com")
                        .build();
        String notice = write(original(header), hostile);
        Entity message = entity(notice);
        assertThat(message.field("Bcc")).isEmpty();
        assertThat(message.field("In-Reply-To")).isEmpty();
        List<Entity> parts = parts(message);
        assertThat(parts.get(0).field("Content-Transfer-Encoding")).isEqualTo("8bit");
        Entity about = status(parts.get(1)).get(0);
        assertThat(about.field("Original-Envelope-Id")).isEqualTo("Bcc: evil");
        Entity recipient = status(parts.get(1)).get(1);
        assertThat(recipient.field("Original-Recipient")).isEqualTo("rfc822; a+b@example.com");
        // Nobody asked for SMTPUTF8: what programs read stays ASCII.
        assertThat(recipient.field("Diagnostic-Code")).contains("\\x{FC}").isASCII();
    }

    @Test
    void internationalMailIsReportedAsSuch() {
        MailAddress to = MailAddress.split("z\u00e9d@example.com");
        Envelope report = report().need(Need.SMTPUTF8).rcpt(to).dest(to).build();
        Entity message = entity(write(original(HEADER), report));
        List<Entity> parts = parts(message);
        assertThat(parts.get(1).field("Content-Type")).isEqualTo("message/global-delivery-status");
        assertThat(parts.get(2).field("Content-Type")).isEqualTo("message/global-headers");
        assertThat(status(parts.get(1)).get(1).field("Final-Recipient"))
                .isEqualTo("utf-8; z\u00e9d@example.com");
        Entity ascii = entity(write(original(HEADER), report().rcpt(to).dest(to).build()));
        assertThat(ascii.field("Subject")).isEqualTo("Mail not delivered: 1 recipient");
        assertThat(status(parts(ascii).get(1)).get(1).field("Final-Recipient"))
                .isEqualTo("utf-8; z\\x{E9}d@example.com");
    }

    @Test
    void theBoundaryDoesNotOccurInTheOriginal() {
        Entity message = entity(write(original(HEADER + "X: --=_5d10c7e9\n"), report().build()));
        assertThat(message.field("Content-Type")).contains("boundary=\"=_5d10c7e90\"");
        parts(message);
    }

    @Test
    void contentThatIsMissingIsSaid() {
        assertThat(write(OriginalMessage.missing(), report().build()))
                .contains("The content of your mail is missing here");
    }

    @Test
    void sentencesFollowTheCode() {
        assertThat(
                        Wording.reason(
                                        report().errorline("552 5.2.2 x")
                                                .enhancedStatus("5.2.2")
                                                .build())
                                .sentence())
                .isEqualTo("The mailbox is full.");
        assertThat(
                        Wording.reason(
                                        report().errorline("552 5.3.4 x")
                                                .enhancedStatus("5.3.4")
                                                .content(new ContentFacts(88210, 0, 0))
                                                .build())
                                .sentence())
                .isEqualTo("The mail is too big (88210 bytes).");
        assertThat(
                        Wording.reason(
                                        report().errorline("550 5.7.509 x")
                                                .enhancedStatus("5.7.509")
                                                .build())
                                .sentence())
                .isEqualTo("It was refused by the other side's rules.");
        assertThat(
                        Wording.reason(report().errorline("550 no").enhancedStatus("").build())
                                .sentence())
                .isEqualTo("The other system refused it.");
    }
}
