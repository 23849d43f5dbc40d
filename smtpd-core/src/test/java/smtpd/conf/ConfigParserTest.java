package smtpd.conf;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import smtpd.table.TableRef;

final class ConfigParserTest {

    private static final Instance INSTANCE = Instance.at(Path.of("/tmp/x"));

    static ConfigParser.Parsed read(String text) {
        return ConfigParser.read(
                ConfigBundle.ofText(7, INSTANCE, "mx.example.org", "smtpd.conf", text));
    }

    static Config good(String text) {
        ConfigParser.Parsed parsed = read(text);
        assertThat(parsed.problems().stream().filter(ConfigError::isError)).isEmpty();
        return parsed.config().orElseThrow();
    }

    @Test
    void theDefaultFileOfTheSystemIsRead() {
        Config config =
                good(
                        """
                        table aliases file:/etc/mail/aliases
                        listen on localhost
                        accept for local alias <aliases> deliver to mbox
                        accept for any relay
                        """);
        assertThat(config.configId()).isEqualTo(7);
        assertThat(config.serverName()).isEqualTo("mx.example.org");
        assertThat(config.listeners()).hasSize(1);
        assertThat(config.listeners().getFirst().port()).isEqualTo(25);
        assertThat(config.rules()).hasSize(2);
        Rule first = config.rules().getFirst();
        assertThat(first.conditions())
                .containsExactly(
                        new Condition.From(Condition.FromKind.LOCAL, Optional.empty(), false),
                        new Condition.For(Condition.ForKind.LOCAL, Optional.empty(), false));
        Action.Local local = (Action.Local) ((Decision.Accept) first.decision()).action();
        assertThat(local.expansion()).isEqualTo(new Expansion.Alias(new TableRef("aliases")));
        assertThat(local.delivery()).isEqualTo(new Delivery.Mbox());
        assertThat(local.name()).matches("@[0-9a-f]{16}");
        assertThat(config.ttlOf(local)).isEqualTo(Duration.ofDays(4));
    }

    @Test
    void settingsReachTheModel() {
        Config config =
                good(
                        """
                        queue backend fs
                        queue sync none
                        queue space 16M
                        queue inline-content 0
                        queue cache 1M
                        resolver 127.0.0.1:5399 [::1]:53 192.0.2.53
                        expire 2d
                        bounce-warn 1h, 30m
                        max-message-size 1.5M
                        subaddressing-delimiter -
                        max-mta-deferred 5
                        limit session max-rcpt 3 max-mails 4
                        limit mda max-session 9
                        limit mta max-conn-per-host 3 inet4
                        limit mta for domain Example.COM conn-delay-route 1
                        limit scheduler max-inflight 100
                        mda sync file
                        mda alias-user nobody
                        accept for any deliver to maildir
                        accept for any relay
                        """);
        assertThat(config.queue())
                .isEqualTo(
                        new QueueSettings(
                                QueueSettings.Backend.FS,
                                QueueSettings.Sync.NONE,
                                0,
                                1 << 20,
                                new QueueSettings.Space.Bytes(16 << 20)));
        assertThat(config.resolvers()).hasSize(3);
        assertThat(config.resolvers().get(0).getPort()).isEqualTo(5399);
        assertThat(config.resolvers().get(1).getPort()).isEqualTo(53);
        assertThat(config.warnAfter()).containsExactly(Duration.ofMinutes(30), Duration.ofHours(1));
        assertThat(config.maxMessageBytes()).isEqualTo(1_572_864);
        assertThat(config.subAddressDelimiter()).isEqualTo('-');
        assertThat(config.limits().of(Limit.SMTP_MAX_RCPT)).isEqualTo(3);
        assertThat(config.mtaLimits().family()).isEqualTo(Listener.Family.INET4);
        Limits narrow = config.mtaLimits().towards("EXAMPLE.com", false);
        assertThat(narrow.of(Limit.MTA_CONN_DELAY_ROUTE)).isEqualTo(1);
        assertThat(narrow.of(Limit.MTA_MAX_CONN_PER_HOST)).isEqualTo(3);
        assertThat(config.inflightShare()).isEqualTo(Config.InflightShare.DEFAULT);
        assertThat(config.mda()).isEqualTo(new MdaSettings(MdaSettings.Sync.FILE, "nobody"));
    }

    @Test
    void aHostOfOnesOwnIsServedFasterUnlessALimitSaysOtherwise() {
        Limits limits = new Limits(Map.of(Limit.MTA_MAX_CONN_PER_ROUTE, 2L)).asHost();
        assertThat(limits.of(Limit.MTA_MAX_CONN_PER_ROUTE)).isEqualTo(2);
        assertThat(limits.of(Limit.MTA_MAX_CONN_PER_HOST)).isEqualTo(20);
        assertThat(limits.of(Limit.MTA_SESSION_MAIL_MAX)).isEqualTo(1000);
    }

    @Test
    void actionNamesSurviveReorderingAndAreSharedByEqualActions() {
        String one = "accept from any for domain a.example deliver to maildir\n";
        String two = "accept for local alias { root => bob } deliver to mbox\n";
        String three = "accept from any for domain b.example deliver to maildir\n";
        Config before = good(one + two + three + "accept for any relay\n");
        Config after = good(two + three + one + "accept for any relay\n");
        assertThat(before.actions().keySet()).isEqualTo(after.actions().keySet()).hasSize(3);
    }

    @Test
    void parseThrowsEverythingThatIsWrong() {
        try {
            ConfigParser.parse(
                    ConfigBundle.ofText(1, INSTANCE, "x.example", "a.conf", "foo\naccept bar\n"));
            throw new AssertionError("accepted");
        } catch (ConfigException e) {
            assertThat(e.getMessage()).startsWith("a.conf:1: unknown statement \"foo\"");
            assertThat(e.errors().stream().map(error -> error.at().line())).contains(1, 2);
        }
    }

    @Test
    void macrosOfTheCommandLineWin() {
        ConfigBundle bundle =
                new ConfigBundle(
                        1,
                        INSTANCE,
                        "mx.example.org",
                        List.of(new Macro("port", "2525")),
                        List.of(
                                new SourceFile(
                                        "smtpd.conf",
                                        "port = 25\nlisten on lo0 port $port\naccept for any relay\n"
                                                .getBytes(
                                                        java.nio.charset.StandardCharsets.UTF_8))));
        Config config = ConfigParser.read(bundle).config().orElseThrow();
        assertThat(config.listeners().getFirst().port()).isEqualTo(2525);
    }
}
