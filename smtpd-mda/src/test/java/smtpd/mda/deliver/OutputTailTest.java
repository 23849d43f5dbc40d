package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class OutputTailTest {

    private static String last(String output) {
        OutputTail tail = new OutputTail();
        byte[] bytes = output.getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            tail.feed(new byte[] {b}, 0, 1);
        }
        return tail.text();
    }

    @Test
    void theLastLineWithTextIsKept() {
        assertThat(last("one\ntwo\n\n  \n")).isEqualTo("two");
        assertThat(last("one\nlast without end")).isEqualTo("last without end");
        assertThat(last("dos\r\n")).isEqualTo("dos");
        assertThat(last("")).isEmpty();
    }

    @Test
    void nothingUnprintableReachesALog() {
        assertThat(last("a\u0000\u0007\u001b[31m\"q\"\\ é\n"))
                .isEqualTo("a\\x00\\x07\\x1b[31m\\\"q\\\"\\\\ é");
        OutputTail tail = new OutputTail();
        tail.feed(new byte[] {(byte) 0xc3, '\n'}, 0, 2);
        assertThat(tail.text()).isEqualTo("\\xc3");
    }

    @Test
    void aLineIsCutAndMemoryBounded() {
        assertThat(last("x".repeat(10_000))).hasSize(OutputTail.MAX);
        assertThat(last("é".repeat(300)).getBytes(StandardCharsets.UTF_8).length)
                .isLessThanOrEqualTo(OutputTail.MAX);
    }
}
