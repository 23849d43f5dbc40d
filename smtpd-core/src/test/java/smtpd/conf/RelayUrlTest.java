package smtpd.conf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class RelayUrlTest {

    @Test
    void classicAndModernSchemesTranslate() throws Exception {
        String[][] table = {
            {"smtp://h.example:26", "smtp+notls://h.example:26"},
            {"smtp+tls://h.example", "smtp://h.example"},
            {"h.example", "smtp://h.example"},
            {"TLS://h.example", "smtp+tls://h.example"},
            {"tls+auth://me@h.example:587", "smtp+tls://me@h.example:587"},
            {"smtps+auth://me@h.example", "smtps://me@h.example"},
            {"lmtp://[::1]:24", "lmtp://[::1]:24"},
            {"smtp://[192.0.2.1]", "smtp+notls://192.0.2.1"},
            {"smtp://[IPv6:2001:db8::1]", "smtp+notls://[2001:db8::1]"},
        };
        for (String[] row : table) {
            RelayUrl classic = RelayUrl.parseClassic(row[0]);
            assertThat(classic.modernText()).as(row[0]).isEqualTo(row[1]);
            assertThat(RelayUrl.parseClassic(classic.classicText())).isEqualTo(classic);
            assertThat(RelayUrl.parseModern(row[1]).mode()).isEqualTo(classic.mode());
        }
    }

    @Test
    void modernMandatoryTlsIsVerifiedAndClassicIsNot() throws Exception {
        assertThat(RelayUrl.parseModern("smtp+tls://h").verified()).isTrue();
        assertThat(RelayUrl.parseClassic("tls://h").verified()).isFalse();
        assertThat(RelayUrl.parseClassic("smtp+tls://h").mode().isTlsMandatory()).isFalse();
    }

    @Test
    void portsAreTheDefaultOfTheSchemeUnlessGiven() throws Exception {
        assertThat(RelayUrl.parseClassic("h").effectivePort()).isEqualTo(25);
        assertThat(RelayUrl.parseClassic("smtps://h").effectivePort()).isEqualTo(465);
        assertThat(RelayUrl.parseClassic("smtp://h:2525").effectivePort()).isEqualTo(2525);
        assertThat(RelayUrl.parseClassic("smtp://192.0.2.1").isAddress()).isTrue();
        assertThat(RelayUrl.parseClassic("smtp://h").isAddress()).isFalse();
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        for (String bad :
                new String[] {
                    "",
                    "smtp://",
                    "smtp://h:",
                    "smtp://h:0",
                    "smtp://h:65536",
                    "smtp://h:25x",
                    "smtp://h/",
                    "smtp://[::1",
                    "smtp://[h]",
                    "smtp://[::1]25",
                    "smtp://@h",
                    "smtp://l@h",
                    "smtp+tls://l@h",
                    "secure+auth://h",
                    "smtp+auth://l@h",
                    "lmtp://h",
                    "backup://h",
                    "ftp://h",
                    "smtp+notls://h",
                    "smtp://-h",
                    "smtp://a b"
                }) {
            assertThatThrownBy(() -> RelayUrl.parseClassic(bad))
                    .as(bad)
                    .isInstanceOf(RelayUrl.Malformed.class);
        }
        for (String bad : new String[] {"tls://h", "smtp://l@h", "secure://h", "tls+auth://l@h"}) {
            assertThatThrownBy(() -> RelayUrl.parseModern(bad))
                    .as(bad)
                    .isInstanceOf(RelayUrl.Malformed.class);
        }
    }

    @Test
    void everyTextIsReadOrRefused() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String alphabet = "smtp+tls:/@[]:.0159ah";
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "smtp://" : "");
            int length = random.nextInt(14);
            for (int i = 0; i < length; i++) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                RelayUrl url = RelayUrl.parseClassic(text.toString());
                assertThat(RelayUrl.parseClassic(url.classicText()))
                        .as("seed %d %s", seed, text)
                        .isEqualTo(url);
            } catch (RelayUrl.Malformed refused) {
                assertThat(refused.getMessage()).as("seed %d %s", seed, text).isNotEmpty();
            }
        }
    }
}
