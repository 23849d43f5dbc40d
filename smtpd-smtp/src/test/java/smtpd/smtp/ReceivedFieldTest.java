package smtpd.smtp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.ZoneId;
import org.junit.jupiter.api.Test;

class ReceivedFieldTest {

    @Test
    void fieldTellsWhoHowAndWhen() {
        ReceivedField field =
                new ReceivedField(
                        "client.example",
                        "<unknown>",
                        "192.0.2.7",
                        "mx.example",
                        "ESMTPSA",
                        "0123abcd",
                        "TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO",
                        "auth=yes user=ann",
                        "bob@example.org",
                        new MailDate(ZoneId.of("+01:00")).at(1767254700L));
        assertThat(new String(field.bytes(), UTF_8))
                .isEqualTo(
                        """
                        Received: from client.example (<unknown> [192.0.2.7])
                        \tby mx.example (smtpd) with ESMTPSA id 0123abcd \
                        (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO) (auth=yes user=ann)
                        \tfor <bob@example.org>;
                        \tThu, 1 Jan 2026 09:05:00 +0100
                        """);
    }

    @Test
    void maskedSourceLeavesTheClientOut() {
        ReceivedField field =
                new ReceivedField("", "h", "192.0.2.7", "mx", "SMTP", "00000001", "", "", "", "D");
        assertThat(new String(field.bytes(), UTF_8))
                .isEqualTo("Received: by mx (smtpd) with SMTP id 00000001;\n\tD\n");
    }

    @Test
    void dateHasANumericZone() {
        assertThat(new MailDate(ZoneId.of("-03:30")).at(0))
                .isEqualTo("Wed, 31 Dec 1969 20:30:00 -0330");
        assertThat(new MailDate(ZoneId.of("UTC")).at(0))
                .isEqualTo("Thu, 1 Jan 1970 00:00:00 +0000");
    }
}
