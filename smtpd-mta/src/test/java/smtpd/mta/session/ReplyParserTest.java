package smtpd.mta.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReplyParserTest {

    private final ReplyParser parser = new ReplyParser();

    private Reply read(String text) {
        return read(text.getBytes(StandardCharsets.UTF_8));
    }

    private Reply read(byte[] bytes) {
        return parser.read(Unpooled.wrappedBuffer(bytes));
    }

    @Test
    void linesAreJoinedAndARepeatedStatusIsKeptOnce() {
        Reply reply = read("550-5.1.1 no such\r\n550-5.1.1 user here\r\n550 5.1.1 sorry\r\n");
        assertThat(reply.code()).isEqualTo(550);
        assertThat(reply.esc()).isEqualTo("5.1.1");
        assertThat(reply.text()).isEqualTo("550 5.1.1 no such user here sorry");
    }

    @Test
    void bareCodeAndBareLineFeedEndAReply() {
        assertThat(read("354\n").code()).isEqualTo(354);
        assertThat(read("250\r\n").text()).isEqualTo("250");
        assertThat(read("250 \r\n").text()).isEqualTo("250");
    }

    @Test
    void digitOfTheCodeBeatsTheClassOfTheStatus() {
        Reply reply = read("450 5.2.2 full\r\n");
        assertThat(reply.isTemporary()).isTrue();
        assertThat(reply.status()).isEqualTo("4.2.2");
    }

    @Test
    void replyWithoutStatusHasOneOfItsClass() {
        assertThat(read("550 no\r\n").status()).isEqualTo("5.0.0");
        assertThat(read("451 4.7.1x no\r\n").status()).isEqualTo("4.0.0");
    }

    @Test
    void controlAndInvalidBytesAreQuestionMarksAndUtf8IsKept() {
        byte[] bytes = "550 a\u0001b\tc gr\u00fc\u00df x\r\n".getBytes(StandardCharsets.UTF_8);
        bytes[bytes.length - 3] = (byte) 0xff;
        assertThat(read(bytes).text()).isEqualTo("550 a?b?c gr\u00fc\u00df ?");
    }

    @Test
    void longTextIsCutAndSaysSo() {
        StringBuilder reply = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            reply.append("550-").append("x".repeat(100)).append("\r\n");
        }
        String text = read(reply + "550 end\r\n").text();
        assertThat(text).hasSize(2_047).endsWith("x...");
    }

    @ParameterizedTest
    @CsvSource({
        "150 early, code out of range",
        "650 late, code out of range",
        "2x0 what, code out of range",
        "250=what, code out of range",
        "25, line too short",
        "'', line too short"
    })
    void whatIsNoReplyIsGarbage(String line, String why) {
        assertThat(read(line + "\r\n")).isNull();
        assertThat(parser.garbage()).isEqualTo(why);
    }

    @Test
    void codesThatDifferAreGarbage() {
        assertThat(read("250-one\r\n251 two\r\n")).isNull();
        assertThat(parser.garbage()).isEqualTo("codes differ");
    }

    @Test
    void hundredLinesAreAReplyAndOneMoreIsGarbage() {
        assertThat(read("250-x\r\n".repeat(99) + "250 x\r\n")).isNotNull();
        assertThat(read("250-x\r\n".repeat(100) + "250 x\r\n")).isNull();
        assertThat(parser.garbage()).isEqualTo("too many lines");
    }

    @Test
    void lineWithoutEndIsGarbageBeforeItFillsTheMemory() {
        assertThat(read("250 " + "x".repeat(4_092))).isNull();
        assertThat(parser.garbage()).isNull();
        assertThat(read("y")).isNull();
        assertThat(parser.garbage()).isEqualTo("line too long");
    }

    @Test
    void manyLongLinesAreGarbageBeyond64KiB() {
        assertThat(read(("250-" + "x".repeat(4_000) + "\r\n").repeat(17))).isNull();
        assertThat(parser.garbage()).isEqualTo("too many lines");
    }

    /** However the bytes are cut into packets, the same replies come out. */
    @Test
    void cutsMakeNoDifference() {
        long seed = 20_251;
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            StringBuilder all = new StringBuilder();
            List<String> expected = new ArrayList<>();
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                int code = 200 + random.nextInt(400);
                int lines = 1 + random.nextInt(4);
                StringBuilder text = new StringBuilder().append(code);
                for (int line = 0; line < lines; line++) {
                    String words = "w" + random.nextInt(1000);
                    all.append(code).append(line < lines - 1 ? '-' : ' ').append(words);
                    all.append(random.nextBoolean() ? "\r\n" : "\n");
                    text.append(' ').append(words);
                }
                expected.add(text.toString());
            }
            ReplyParser fresh = new ReplyParser();
            List<String> got = new ArrayList<>();
            byte[] bytes = all.toString().getBytes(StandardCharsets.US_ASCII);
            int at = 0;
            while (at < bytes.length) {
                int length = 1 + random.nextInt(Math.min(20, bytes.length - at));
                ByteBuf piece = Unpooled.wrappedBuffer(bytes, at, length);
                at += length;
                while (piece.isReadable()) {
                    Reply reply = fresh.read(piece);
                    if (reply != null) {
                        got.add(reply.text());
                    }
                }
            }
            assertThat(got).as("seed %d round %d", seed, round).isEqualTo(expected);
        }
    }
}
