package smtpd.envelope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import smtpd.mail.MailAddress;

class EnvelopeTextTest {

    private static final long NOW = 1_767_300_000L;

    private static Verdict parse(String text) {
        return EnvelopeText.parse(WholeFiles.bytes(text), "server.example", NOW);
    }

    private static Envelope read(String text) {
        Verdict v = parse(text);
        assertThat(v).isInstanceOf(Verdict.Usable.class);
        return ((Verdict.Usable) v).envelope();
    }

    private static Verdict.Corrupt corrupt(String text) {
        Verdict v = parse(text);
        assertThat(v).isInstanceOf(Verdict.Corrupt.class);
        return (Verdict.Corrupt) v;
    }

    @ParameterizedTest
    @ValueSource(strings = {WholeFiles.LOCAL, WholeFiles.RELAY, WholeFiles.BOUNCE})
    void wholeFilesAreSoundAndComeBackByteForByte(String file) {
        Verdict v = parse(file);
        assertThat(v).isInstanceOf(Verdict.Sound.class);
        assertThat(WholeFiles.text(EnvelopeText.dump(((Verdict.Sound) v).envelope())))
                .isEqualTo(file);
    }

    /** Else the same envelope, written and read again, would bear another name. */
    @Test
    void anEmptySmtpnameIsTheServersName() {
        String text = WholeFiles.LOCAL.replace("smtpname: mx1.example.org", "smtpname: ");
        assertThat(text).isNotEqualTo(WholeFiles.LOCAL);
        Verdict verdict = EnvelopeText.parse(WholeFiles.bytes(text), "s.example", 1_767_300_000L);
        assertThat(((Verdict.Usable) verdict).envelope().smtpname()).isEqualTo("s.example");
    }

    @Test
    void builtEnvelopeIsWrittenAsTheSampleSays() {
        Envelope e =
                Envelope.builder()
                        .action("@a56504ab1e9002ea")
                        .tag("lan")
                        .type(EnvelopeType.MDA)
                        .smtpname("mx1.example.org")
                        .helo("client.example.net")
                        .hostname("client.example.net")
                        .sockaddr("192.0.2.17")
                        .sender(MailAddress.split("ann@example.net"))
                        .rcpt(MailAddress.split("sales@example.org"))
                        .dest(MailAddress.split("bob@example.org"))
                        .ctime(1767225600)
                        .mdaBuffer("/home/%{user.username}/Maildir")
                        .mdaRaw(true)
                        .mdaMethod(MdaMethod.MAILDIR)
                        .mdaUser("bob")
                        .mdaUsertable("<getpwnam>")
                        .content(new ContentFacts(5120, 0x8f2c03d1, 131))
                        .build();
        assertThat(WholeFiles.text(EnvelopeText.dump(e))).isEqualTo(WholeFiles.LOCAL);
    }

    @Test
    void fieldsOfTheRelaySampleAreRead() {
        Envelope e = read(WholeFiles.RELAY);
        assertThat(e.type()).isEqualTo(EnvelopeType.MTA);
        assertThat(e.errorline()).isEqualTo("451 4.7.1 greylisted, try again later");
        assertThat(e.lastTry()).isEqualTo(1767227210);
        assertThat(e.retry()).isEqualTo(2);
        assertThat(e.has(EnvelopeFlag.AUTHENTICATED)).isTrue();
        assertThat(e.mta().relay()).isEqualTo("tls+auth://isp@smtp.isp.example:587");
        assertThat(e.mta().auth()).isEqualTo("secrets");
        assertThat(e.remoteMta()).isEqualTo("smtp.isp.example [198.51.100.25]");
        assertThat(e.needs(Need.EIGHTBITMIME)).isTrue();
        assertThat(e.content()).isEqualTo(new ContentFacts(88210, 0x1b77e0aa, 1604));
        assertThat(e.expiresAt()).isEqualTo(1767225600 + 345600);
    }

    @Test
    void fileOfTheOriginalIsForeignAndGainsOnlyOurFields() {
        String file = WholeFiles.classic("mda-buffer: /var/mail/bob", "mda-method: mbox");
        Verdict v = parse(file);
        assertThat(v).isInstanceOf(Verdict.Foreign.class);
        String again = WholeFiles.text(EnvelopeText.dump(((Verdict.Foreign) v).envelope()));
        List<String> lines =
                again.lines()
                        .filter(l -> !l.startsWith("format:") && !l.startsWith("end:"))
                        .toList();
        assertThat(String.join("\n", lines) + "\n").isEqualTo(file);
        assertThat(WholeFiles.text(EnvelopeText.dumpClassic(((Verdict.Foreign) v).envelope())))
                .isEqualTo(file);
    }

    @Test
    void changedByHandIsUsedAndSaidSo() {
        Verdict v = parse(WholeFiles.LOCAL.replace("dest: bob@", "dest: eve@"));
        assertThat(v).isInstanceOf(Verdict.Edited.class);
        assertThat(((Verdict.Edited) v).envelope().dest().local()).isEqualTo("eve");
        assertThat(parse(WholeFiles.LOCAL.replace("\n", "\r\n")))
                .isInstanceOf(Verdict.Edited.class);
        assertThat(parse(WholeFiles.LOCAL.replace("tag: lan\n", "tag: lan\n\n")))
                .isInstanceOf(Verdict.Edited.class);
    }

    @Test
    void everyPrefixOfOurFileIsTornNeverUsed() {
        byte[] whole = WholeFiles.bytes(WholeFiles.LOCAL);
        int first = WholeFiles.LOCAL.indexOf("action");
        for (int n = first; n < whole.length; n++) {
            Verdict v = EnvelopeText.parse(java.util.Arrays.copyOf(whole, n), "s", NOW);
            assertThat(v).as("first %s bytes", n).isInstanceOf(Verdict.Torn.class);
        }
        for (int n = 0; n < first; n++) {
            Verdict v = EnvelopeText.parse(java.util.Arrays.copyOf(whole, n), "s", NOW);
            assertThat(v).as("first %s bytes", n).isNotInstanceOf(Verdict.Usable.class);
        }
    }

    @Test
    void zerosAtTheEndAreTornAndTellTheirTimes() {
        byte[] whole = WholeFiles.bytes(WholeFiles.RELAY);
        java.util.Arrays.fill(whole, whole.length - 40, whole.length, (byte) 0);
        assertThat(EnvelopeText.parse(whole, "s", NOW))
                .isEqualTo(new Verdict.Torn(1767225600, 1767227210));
        assertThat(EnvelopeText.parse(new byte[400], "s", NOW)).isEqualTo(new Verdict.Torn(0, 0));
        assertThat(EnvelopeText.parse(new byte[0], "s", NOW)).isEqualTo(new Verdict.Torn(0, 0));
    }

    @Test
    void lastLineWithoutLineEndIsReadInAForeignFile() {
        String file = WholeFiles.classic("mda-buffer: /var/mail/bob");
        assertThat(read(file.substring(0, file.length() - 1)).mda().buffer())
                .isEqualTo("/var/mail/bob");
    }

    @Test
    void lineAfterTheEndMeansTheEndIsNotThere() {
        assertThat(parse(WholeFiles.LOCAL + "tag: x\n")).isInstanceOf(Verdict.Torn.class);
    }

    @Test
    void namesInAnyCaseAndBlanksAroundTheColonAreFine() {
        Envelope e =
                read(
                        WholeFiles.classic("MDA-User \t:  bob ")
                                .replace("version: 2", "VERSION:2")
                                .replace("type: mda", "Type: mda"));
        assertThat(e.mda().user()).isEqualTo("bob ");
        assertThat(e.version()).isEqualTo(2);
    }

    @Test
    void lastOfARepeatedNameWinsAndIsCounted() {
        Verdict v = parse(WholeFiles.classic("mda-user: a", "MDA-user: b", "tag: other"));
        assertThat(((Verdict.Usable) v).envelope().mda().user()).isEqualTo("b");
        assertThat(((Verdict.Usable) v).envelope().tag()).isEqualTo("other");
        assertThat(((Verdict.Usable) v).repeated()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no colon here",
                ": no name",
                "na me: x",
                " tag: x",
                "retry: -1",
                "retry: +1",
                "retry: 1 ",
                "retry: 65536",
                "retry:",
                "retry: 99999999999999999999",
                "dsn-notify: 256",
                "type: mbox",
                "mda-method: pipe",
                "flags: authenticated,evil",
                "sockaddr: not an address",
                "content: 1 zz 3",
                "content: -1 00000000 3",
                "hold: 3",
                "tag: 123456789012345678901234567890123",
                "helo:",
                "hostname:",
                "ctime: 9999999999",
                "expand: twice",
                "need: speed",
            })
    void badLineIsCorrupt(String line) {
        String file = WholeFiles.classic(line);
        if (line.startsWith("content")
                || line.startsWith("expand")
                || line.startsWith("need")
                || line.startsWith("hold")) {
            file += "end: 00000000\n";
        }
        corrupt(file);
    }

    @Test
    void bareCarriageReturnInAValueIsCorrupt() {
        corrupt(WholeFiles.classic("errorline: 550 a\rb"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"version", "type", "helo", "hostname", "sender", "rcpt", "dest", "ctime"})
    void missingFieldIsCorruptAndNamed(String name) {
        String file = WholeFiles.classic().replaceFirst("(?m)^" + name + ": .*\n", "");
        assertThat(corrupt(file)).isEqualTo(new Verdict.Corrupt(name, "missing"));
    }

    @Test
    void tooLongIsCorruptAtLoadAndRefusedWhenMade() {
        assertThat(corrupt(WholeFiles.classic("mda-buffer: " + "x".repeat(1024))).field())
                .isEqualTo("mda-buffer");
        assertThat(corrupt(WholeFiles.classic("errorline: " + "x".repeat(2048))).field())
                .isEqualTo("errorline");
        assertThat(read(WholeFiles.classic("mda-buffer: " + "x".repeat(1023)))).isNotNull();
        EnvelopeBuilder b = read(WholeFiles.LOCAL).toBuilder().mdaBuffer("x".repeat(1024));
        assertThatThrownBy(b::build).isInstanceOf(IllegalArgumentException.class);
        assertThat(parse("x".repeat(70_000))).isInstanceOf(Verdict.Corrupt.class);
    }

    @Test
    void unknownNamesAreKeptInOrderAndWrittenBack() {
        Envelope e = read(WholeFiles.classic("X-Later: 1", "another: two  "));
        assertThat(e.kept())
                .containsExactly(new KeptField("x-later", "1"), new KeptField("another", "two  "));
        String text = WholeFiles.text(EnvelopeText.dump(e));
        assertThat(text).contains("\nx-later: 1\nanother: two  \nend: ");
        assertThat(parse(text)).isInstanceOf(Verdict.Sound.class);
    }

    @Test
    void unknownMustFieldAndUnknownVersionWaitForANewerRelease() {
        assertThat(parse(WholeFiles.classic("must-sign: yes")))
                .isEqualTo(new Verdict.Future("must-sign"));
        assertThat(parse(WholeFiles.classic().replace("version: 2", "version: 4")))
                .isEqualTo(new Verdict.Future("version"));
        corrupt(WholeFiles.classic().replace("version: 2", "version: 65"));
        assertThat(parse(WholeFiles.LOCAL.replace("format: 1", "format: 2")))
                .isInstanceOf(Verdict.Edited.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2001:db8::1", "IPv6:2001:db8::1", "[2001:db8::1]"})
    void allSpellingsOfAnAddressAreRead(String spelling) {
        String file = WholeFiles.classic().replace("192.0.2.1", spelling);
        Envelope e = read(file);
        assertThat(e.sockaddr()).isEqualTo("2001:db8::1");
        assertThat(WholeFiles.text(EnvelopeText.dump(e))).contains("sockaddr: IPv6:2001:db8::1\n");
        Envelope modern = e.toBuilder().version(3).build();
        assertThat(WholeFiles.text(EnvelopeText.dump(modern)))
                .contains("sockaddr: [2001:db8::1]\n");
    }

    @Test
    void nullSenderAndAddressesWithoutDomainKeepTheirMeaning() {
        Envelope e =
                read(
                        WholeFiles.classic()
                                .replace("sender: ann@example.net", "sender: @")
                                .replace("rcpt: bob@example.org", "rcpt: bob")
                                .replace("dest: bob@example.org", "dest: \"a@b\"@"));
        assertThat(e.isNullSender()).isTrue();
        assertThat(e.rcpt()).isEqualTo(new MailAddress("bob", ""));
        assertThat(e.dest()).isEqualTo(new MailAddress("\"a@b\"", ""));
        assertThat(read(WholeFiles.text(EnvelopeText.dump(e))).dest()).isEqualTo(e.dest());
    }

    @Test
    void bytesThatAreNotUtf8SurviveLoadAndDump() {
        byte[] file = WholeFiles.bytes(WholeFiles.classic("mda-user: AéB€C"));
        for (int i = 0; i < file.length; i++) {
            if (file[i] == 'A' && file[i + 1] == (byte) 0xc3) {
                file[i] = (byte) 0xff;
                file[i + 2] = (byte) 0x0a + (byte) 0x80;
            }
        }
        Verdict v = EnvelopeText.parse(file, "s", NOW);
        byte[] again = EnvelopeText.dumpClassic(((Verdict.Usable) v).envelope());
        assertThat(again).isEqualTo(file);
    }

    @Test
    void version3NamesOnlyTheAction() {
        String file =
                """
                version: 3
                dispatcher: local_mail
                type: mda
                smtpname: mx.example.org
                helo: h
                hostname: h
                username: ann
                sockaddr: [2001:db8::1]
                sender: ann@example.net
                rcpt: bob@example.org
                dest: bob@example.org
                ctime: 1767225600
                last-try: 0
                last-bounce: 0
                ttl: 86400
                retry: 0
                flags: authenticated internal
                dsn-notify: 0
                dsn-orcpt: rfc822;bob@example.org
                mda-user: bob
                mda-subaddress: lists
                """;
        Verdict v = parse(file);
        assertThat(v).isInstanceOf(Verdict.Foreign.class);
        Envelope e = ((Verdict.Foreign) v).envelope();
        assertThat(e.action()).isEqualTo("local_mail");
        assertThat(e.username()).isEqualTo("ann");
        assertThat(e.expire()).isEqualTo(Duration.ofDays(1));
        assertThat(e.mda().subaddress()).isEqualTo("lists");
        assertThat(WholeFiles.text(EnvelopeText.dumpClassic(e))).isEqualTo(file);
        assertThat(parse(WholeFiles.text(EnvelopeText.dump(e)))).isInstanceOf(Verdict.Sound.class);
    }

    @Test
    void allEightBounceTypesAreReadInBothVersions() {
        String base = WholeFiles.classic().replace("type: mda", "type: bounce");
        for (String word :
                List.of(
                        "error",
                        "warn",
                        "dsn",
                        "failed",
                        "delayed",
                        "delivered",
                        "relayed",
                        "expanded")) {
            for (String version : List.of("version: 1", "version: 2", "version: 3")) {
                Envelope e =
                        read(base.replace("version: 2", version) + "bounce-type: " + word + "\n");
                assertThat(e.bounce().type()).isNotNull();
            }
        }
    }

    @Test
    void delayWarningKeepsItsSecondsInBothVersions() {
        for (int version : new int[] {2, 3}) {
            Envelope e =
                    read(WholeFiles.BOUNCE).toBuilder()
                            .version(version)
                            .bounceType(BounceType.DELAYED)
                            .bounceDelay(Duration.ofHours(4))
                            .bounceExpire(Duration.ofDays(4))
                            .build();
            assertThat(read(WholeFiles.text(EnvelopeText.dump(e)))).isEqualTo(e);
        }
    }

    @Test
    void missingServerNameIsOurs() {
        String file = WholeFiles.classic().replace("smtpname: mx1.example.org\n", "");
        assertThat(read(file).smtpname()).isEqualTo("server.example");
    }

    @Test
    void version1IsUpgradedInMemory() {
        String file =
                WholeFiles.classic(
                                "msgid: 12345678",
                                "mta-relay-helo: helos",
                                "mta-relay: ssl+auth://isp@relay.example:465",
                                "mta-relay-flags: verify")
                        .replace("version: 2", "version: 1")
                        .replace("type: mda", "type: mta");
        Envelope e = read(file);
        assertThat(e.version()).isEqualTo(2);
        assertThat(e.kept()).isEmpty();
        assertThat(e.mta().relay()).isEqualTo("secure+auth://isp@relay.example:465");
        assertThat(e.mta().helotable()).isEqualTo("helos");
        assertThat(e.mta().flags()).containsExactly(RelayFlag.VERIFY);
        corrupt(file.replace("version: 1", "version: 2"));
    }

    @Test
    void relayOfRelease52IsFoldedIntoAUrl() {
        String base =
                WholeFiles.classic("mta-relay-host: relay.example", "mta-relay-port: 465")
                        .replace("version: 2", "version: 1")
                        .replace("type: mda", "type: mta");
        assertThat(read(base).mta().relay()).isEqualTo("smtp://relay.example:465");
        assertThat(read(base + "mta-relay-flags: smtps\n").mta().relay())
                .isEqualTo("smtps://relay.example:465");
        assertThat(read(base + "mta-relay-flags: smtps,tls\n").mta().relay())
                .isEqualTo("secure://relay.example:465");
        Envelope auth = read(base + "mta-relay-flags: tls auth\nmta-relay-authmap: secrets\n");
        assertThat(auth.mta().relay()).isEqualTo("tls+auth://relay.example@relay.example:465");
        assertThat(auth.mta().auth()).isEqualTo("secrets");
        assertThat(read(base + "mta-relay-flags: backup\n").mta().relay())
                .isEqualTo("backup://relay.example:465");
    }

    @Test
    void replyOfManyLinesCannotInjectAField() {
        String reply = "550-5.1.1 no\r\n550 5.1.1 \u0001such\nmda-method: mda\nmda-buffer: id\0";
        Envelope e = read(WholeFiles.LOCAL).toBuilder().errorline(reply).build();
        assertThat(e.errorline())
                .isEqualTo("550-5.1.1 no 550 5.1.1 ?such mda-method: mda mda-buffer: id?");
        assertThat(read(WholeFiles.text(EnvelopeText.dump(e)))).isEqualTo(e);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "a\0b"})
    void noValueHoldsALineEnd(String evil) {
        Envelope e = read(WholeFiles.LOCAL);
        assertThatThrownBy(() -> e.toBuilder().helo(evil).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> e.toBuilder().mdaBuffer(evil).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> e.toBuilder().sender(new MailAddress(evil, "d")).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> e.toBuilder().dest(new MailAddress("l", evil)).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new KeptField("x", evil))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void loneSurrogateNeverBecomesALineEnd() {
        Envelope e = read(WholeFiles.LOCAL).toBuilder().tag("a\udc0ab\ud80ac\udc8a").build();
        byte[] text = EnvelopeText.dump(e);
        String line =
                new String(text, StandardCharsets.ISO_8859_1)
                        .lines()
                        .filter(l -> l.startsWith("tag"))
                        .findFirst()
                        .orElseThrow();
        assertThat(line).isEqualTo("tag: a?b?c\u008a");
    }

    @Test
    void longReplyIsCutToWhatFits() {
        Envelope e =
                read(WholeFiles.LOCAL).toBuilder().errorline("550 " + "é".repeat(3000)).build();
        assertThat(EscapedUtf8.length(e.errorline())).isBetween(2040, 2047);
        assertThat(e.errorline()).endsWith("é...");
        assertThat(read(WholeFiles.text(EnvelopeText.dump(e)))).isEqualTo(e);
    }

    @Test
    void enhancedStatusIsTwoNumbers() {
        EnvelopeBuilder b = read(WholeFiles.LOCAL).toBuilder();
        assertThat(b.enhancedStatus("5.1.1").build().dsn().enhancedStatus()).isEqualTo("5.1.1");
        assertThat(b.enhancedStatus("5.7.27").build().dsn().enhancedStatus()).isEqualTo("5.7.0");
        assertThat(b.enhancedStatus("").build().dsn().enhancedStatus()).isEmpty();
    }

    @Test
    void longestEnvelopeStillFits() {
        String s255 = "h".repeat(255);
        String s1023 = "t".repeat(1023);
        MailAddress address = new MailAddress(s255, s255);
        Envelope e =
                read(WholeFiles.RELAY).toBuilder()
                        .action(s255)
                        .smtpname(s255)
                        .helo(s255)
                        .hostname(s255)
                        .username(s255)
                        .errorline("e".repeat(3000))
                        .remoteMta(s255)
                        .sender(address)
                        .rcpt(address)
                        .dest(address)
                        .dsnEnvid("x".repeat(100))
                        .dsnOrcpt("x".repeat(500))
                        .relayTable(s1023)
                        .relayAuth(s1023)
                        .relaySource(s1023)
                        .relayHelotable(s1023)
                        .relayCert(s1023)
                        .relayCa(s1023)
                        .relayHeloname(s255)
                        .build();
        assertThat(read(WholeFiles.text(EnvelopeText.dump(e)))).isEqualTo(e);
    }
}
