package smtpd.mta.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BodyEncoderTest {

    private static String plain(String shown) {
        return shown.replace("<CR>", "\r").replace("<LF>", "\n").replace("<NUL>", "\0");
    }

    private static String shown(String text) {
        return text.replace("\r", "<CR>").replace("\n", "<LF>").replace("\0", "<NUL>");
    }

    private static String encode(byte[] bytes, Random cuts) {
        BodyEncoder encoder = new BodyEncoder();
        ByteBuf out = Unpooled.buffer();
        int at = 0;
        while (at < bytes.length) {
            int length = cuts == null ? bytes.length : 1 + cuts.nextInt(bytes.length - at);
            encoder.encode(bytes, at, length, out);
            at += length;
        }
        encoder.finish(out);
        return out.toString(StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @CsvSource({
        "a<LF>, a<CR><LF>.<CR><LF>",
        "a, a<CR><LF>.<CR><LF>",
        "'', .<CR><LF>",
        "a<CR><LF>, a<CR><LF>.<CR><LF>",
        ".<LF>, ..<CR><LF>.<CR><LF>",
        "..x<LF>, ...x<CR><LF>.<CR><LF>",
        "a<LF>.b<LF>, a<CR><LF>..b<CR><LF>.<CR><LF>",
        "a<CR>b<LF>, a b<CR><LF>.<CR><LF>",
        "a<CR>.<CR>b<LF>, a . b<CR><LF>.<CR><LF>",
        "<CR>.<CR><LF>, ' .<CR><LF>.<CR><LF>'",
        "a<CR><CR><LF>, a <CR><LF>.<CR><LF>",
        "a<CR>, a <CR><LF>.<CR><LF>",
        "a<NUL>b<LF>c<LF>, a b<CR><LF>c<CR><LF>.<CR><LF>",
        "<NUL>.<LF>, ' .<CR><LF>.<CR><LF>'",
        "<LF><LF>, <CR><LF><CR><LF>.<CR><LF>"
    })
    void bytesAreSentAsTheyMust(String content, String sent) {
        byte[] bytes = plain(content).getBytes(StandardCharsets.ISO_8859_1);
        assertThat(shown(encode(bytes, null))).isEqualTo(sent);
    }

    @Test
    void lineOf60000BytesIsUnchanged() {
        String line = "x".repeat(60_000);
        assertThat(encode((line + "\n").getBytes(StandardCharsets.US_ASCII), null))
                .isEqualTo(line + "\r\n.\r\n");
    }

    /**
     * However hostile the bytes and wherever they are cut: the end comes once, no line before it
     * starts with one dot alone, no bare CR, LF or NUL leaves.
     */
    @Test
    void noContentEndsItselfEarly() {
        long seed = 4711;
        Random random = new Random(seed);
        byte[] alphabet = {'\r', '\n', '.', 'a', 0};
        for (int round = 0; round < 3_000; round++) {
            byte[] bytes = new byte[1 + random.nextInt(12)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = alphabet[random.nextInt(alphabet.length)];
            }
            String sent = encode(bytes, random);
            String about = "seed " + seed + " " + shown(sent);
            assertThat(sent).as(about).isEqualTo(encode(bytes, null)).endsWith(".\r\n");
            String lines = "\r\n" + sent;
            assertThat(lines.indexOf("\r\n.\r\n")).as(about).isEqualTo(lines.length() - 5);
            assertThat(sent.replace("\r\n", "")).as(about).doesNotContain("\r", "\n", "\0");
            for (String line : sent.substring(0, sent.length() - 3).split("\r\n", -1)) {
                assertThat(line.startsWith(".") && !line.startsWith("..")).as(about).isFalse();
            }
        }
    }
}
