package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import smtpd.mail.MailAddress;

final class HeaderScanTest {

    private static HeaderScan scan(String content, int chunk) {
        HeaderScan scan =
                new HeaderScan(
                        new MailAddress("bob", "here.example"),
                        new MailAddress("Info", "here.example"));
        byte[] bytes = Jobs.bytes(content);
        for (int at = 0; at < bytes.length; at += chunk) {
            if (!scan.feed(bytes, at, Math.min(chunk, bytes.length - at))) {
                break;
            }
        }
        scan.end();
        return scan;
    }

    private static boolean loops(String content) {
        boolean whole = scan(content, 1 << 20).isLooped();
        for (int chunk = 1; chunk < 9; chunk++) {
            assertThat(scan(content, chunk).isLooped()).isEqualTo(whole);
        }
        return whole;
    }

    @Test
    void finalAndOriginalAddressBothCount() {
        assertThat(loops("Received: x\nDelivered-To: BOB@here.example\n\nbody\n")).isTrue();
        assertThat(loops("DELIVERED-TO:   info@HERE.example  \n\n")).isTrue();
        assertThat(loops("Delivered-To: <bob@here.example>\n\n")).isTrue();
        assertThat(loops("Delivered-To:\n bob@here.example\n\n")).isTrue();
        assertThat(loops("Delivered-To: bob@here.example")).isTrue();
    }

    @Test
    void othersBodiesAndLookAlikesDoNot() {
        assertThat(loops("Delivered-To: eve@here.example\n\n")).isFalse();
        assertThat(loops("Subject: x\n\nDelivered-To: bob@here.example\n")).isFalse();
        assertThat(loops("Subject: x\nno header line\nDelivered-To: bob@here.example\n")).isFalse();
        assertThat(loops("X-Delivered-To: bob@here.example\n\n")).isFalse();
        assertThat(loops("Subject: Delivered-To: bob@here.example\n\n")).isFalse();
        assertThat(loops("Delivered-To: bob@here.example" + "x".repeat(5000) + "\n\n")).isFalse();
        assertThat(loops("")).isFalse();
    }

    @Test
    void onlyTheFirstMebibyteIsRead() {
        String filler = ("X-A: " + "y".repeat(94) + "\n").repeat(10_600);
        assertThat(scan(filler + "Delivered-To: bob@here.example\n\n", 65536).isLooped()).isFalse();
    }

    @Test
    void spamMarkIsTheWholeLineInAnyCase() {
        assertThat(scan("x-spam: YES\n\n", 3).isSpam()).isTrue();
        assertThat(scan("X-Spam-Flag: yes\n\n", 100).isSpam()).isTrue();
        assertThat(scan("X-Spam: yes, but\n\n", 100).isSpam()).isFalse();
        assertThat(scan("Subject: a\n\nX-Spam: yes\n", 100).isSpam()).isFalse();
    }
}
