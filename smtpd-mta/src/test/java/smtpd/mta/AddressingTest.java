package smtpd.mta;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeBuilder;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Msgid;
import smtpd.envelope.RelayFlag;
import smtpd.mail.MailAddress;
import smtpd.mta.route.Message;
import smtpd.mta.route.RelayKey;
import smtpd.mta.route.Task;

/** Which envelopes share a relay and a transaction: those that differ in nothing the peer sees. */
class AddressingTest {

    private static final String RELAY = "accept for any relay\n";

    private static Addressing addressing(String text) throws Exception {
        return new Addressing(
                ConfigParser.parse(
                        ConfigBundle.ofText(1, Instance.system(), "mx.test", "smtpd.conf", text)));
    }

    private static EnvelopeBuilder envelope(int version) {
        return Envelope.builder()
                .version(version)
                .type(EnvelopeType.MTA)
                .smtpname("mx.test")
                .helo("client")
                .hostname("localhost")
                .sockaddr("local")
                .sender(MailAddress.split("alice@example.org"))
                .rcpt(MailAddress.split("bob@Dest.TEST."))
                .dest(MailAddress.split("bob@Dest.TEST."));
    }

    private static RelayKey key(Addressing.Way way) {
        return ((Addressing.Way.To) way).key();
    }

    private static String reason(Addressing.Way way) {
        return ((Addressing.Way.No) way).result().text();
    }

    @Test
    void envelopesThatDifferInWhatTheyVerifyShareNoRelay() throws Exception {
        Addressing addressing = addressing(RELAY);
        RelayKey verified =
                key(
                        addressing.way(
                                envelope(2)
                                        .relay("tls://host.test")
                                        .relayFlags(Set.of(RelayFlag.TLS, RelayFlag.VERIFY))
                                        .build()));
        RelayKey unverified =
                key(
                        addressing.way(
                                envelope(2)
                                        .relay("tls://host.test")
                                        .relayFlags(Set.of(RelayFlag.TLS))
                                        .build()));
        assertThat(verified).isNotEqualTo(unverified);
        assertThat(verified.domain()).isEqualTo(unverified.domain());
    }

    @Test
    void everySenderHasATransactionOfItsOwn() throws Exception {
        Addressing addressing = addressing(RELAY);
        Message message = new Message(new Msgid(1), 1, 1);
        Task.Key alice = addressing.task(envelope(2).build(), message, List.of());
        Task.Key sales =
                addressing.task(
                        envelope(2).sender(MailAddress.split("sales@brand.test")).build(),
                        message,
                        List.of());
        assertThat(alice.sender()).isEqualTo("alice@example.org");
        assertThat(alice).isNotEqualTo(sales);
        assertThat(alice).isEqualTo(addressing.task(envelope(2).build(), message, List.of()));
    }

    @Test
    void domainIsFoldedForTheKey() throws Exception {
        RelayKey key = key(addressing(RELAY).way(envelope(2).build()));
        assertThat(key.domain()).isEqualTo("dest.test");
        assertThat(key.asHost()).isFalse();
        assertThat(Addressing.domain("B\u00fccher.example")).isEqualTo("xn--bcher-kva.example");
    }

    @Test
    void actionThatIsGoneDefers() throws Exception {
        assertThat(reason(addressing(RELAY).way(envelope(3).action("gone").build())))
                .isEqualTo("451 4.3.5 Unknown relay action");
    }

    @Test
    void urlsThatCannotWorkDeferWithTheirReason() throws Exception {
        Addressing addressing = addressing(RELAY);
        assertThat(reason(addressing.way(envelope(2).relay("tls+auth://l@host.test").build())))
                .isEqualTo("451 4.3.5 No auth table for relaying");
        assertThat(
                        reason(
                                addressing.way(
                                        envelope(2)
                                                .relay("smtp://host.test")
                                                .relayFlags(Set.of(RelayFlag.TLS))
                                                .build())))
                .isEqualTo("451 4.3.5 TLS required for relaying");
    }

    @Test
    void hostsOfAListStandInTheirOrderEachOnceAndWithoutTheBroken() throws Exception {
        Addressing addressing = addressing(RELAY);
        Envelope envelope = envelope(2).relayTable("hosts").build();
        Addressing.Way.Ask ask = (Addressing.Way.Ask) addressing.way(envelope);
        Addressing.Way.To to =
                (Addressing.Way.To)
                        addressing.hosts(
                                new SmartHosts.Answer(
                                        List.of(
                                                "what://x",
                                                "smtp://one.test",
                                                "smtp://two.test:26",
                                                "smtp://one.test"),
                                        ""),
                                ask.options());
        assertThat(to.key().domain()).isEqualTo("one.test");
        assertThat(to.others().stream().map(RelayKey::domain)).containsExactly("two.test");
        assertThat(
                        reason(
                                addressing.hosts(
                                        new SmartHosts.Answer(List.of(), "451 4.3.5 x"),
                                        ask.options())))
                .isEqualTo("451 4.3.5 x");
    }
}
