package smtpd.mta.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {

    private static Reply reply(String line) {
        return new ReplyParser()
                .read(Unpooled.wrappedBuffer((line + "\r\n").getBytes(StandardCharsets.US_ASCII)));
    }

    @ParameterizedTest
    @CsvSource({
        "RCPT, 450 4.2.0 Greylisted, greylisted",
        "RCPT, 451 4.7.1 graylisting in action, greylisted",
        "EOM, 451 4.7.1 Please try again later, greylisted",
        "DATA, 450 4.7.1 greylisted, greylisted",
        "MAIL, 451 4.7.1 greylisted, remote-4xx",
        "RCPT, 421 4.7.1 greylisted, remote-4xx",
        "RCPT, 450 4.2.0 try again, remote-4xx",
        "MAIL, 421 4.7.28 slow down, rate-limited",
        "EOM, 450 4.7.650 slow down, rate-limited",
        "MAIL, 421 4.7.0 no, rate-limited",
        "MAIL, 450 4.7.0 no, remote-4xx",
        "RCPT, 450 Rate limit reached, rate-limited",
        "RCPT, 451 too many connections, rate-limited",
        "EOM, 452 quota exceeded for today, rate-limited",
        "EOM, 450 throttled, rate-limited",
        "RCPT, 452 4.2.2 mailbox full, mailbox-full",
        "RCPT, 451 4.3.1 disk full, remote-4xx",
        "EOM, 451 4.4.1 later, remote-4xx",
        "EOM, 450 later, remote-4xx"
    })
    void temporaryRefusalsHaveAReason(Phase phase, String line, String reason) {
        Result result = Verdict.of(reply(line), phase);
        assertThat(result.kind()).isEqualTo(Result.Kind.DEFERRED);
        assertThat(result.reason().key()).isEqualTo(reason);
        assertThat(result.text()).isEqualTo(line);
    }

    @Test
    void permanentRefusalsCarryTheirStatus() {
        Result result = Verdict.of(reply("550 5.7.1 policy"), Phase.EOM);
        assertThat(result.kind()).isEqualTo(Result.Kind.FAILED);
        assertThat(result.esc()).isEqualTo("5.7.1");
        assertThat(Verdict.of(reply("599 odd"), Phase.RCPT).esc()).isEqualTo("5.0.0");
    }
}
