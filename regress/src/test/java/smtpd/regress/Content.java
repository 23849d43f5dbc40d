package smtpd.regress;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Makes and compares the bytes of mails. */
final class Content {

    private Content() {}

    /** A short mail. */
    static byte[] mail(String subject) {
        return mail(subject, "Hello.\r\n");
    }

    /** A mail with that body, which is taken as Latin-1. */
    static byte[] mail(String subject, String body) {
        String text =
                "From: Ann <ann@sender.test>\r\n"
                        + "To: you@rcpt.test\r\n"
                        + "Date: Wed, 25 Nov 2026 00:00:00 +0000\r\n"
                        + "Message-ID: <"
                        + subject
                        + "@sender.test>\r\n"
                        + "Subject: "
                        + subject
                        + "\r\n\r\n"
                        + body;
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** A mail of exactly that many bytes, lines of random printable and 8-bit bytes. */
    static byte[] ofSize(String subject, int size, long seed) {
        byte[] head = mail(subject, "");
        byte[] all = new byte[size];
        System.arraycopy(head, 0, all, 0, head.length);
        Random random = new Random(seed);
        int column = 0;
        for (int i = head.length; i < size; i++) {
            boolean mustEnd = i == size - 2 || (column == 76 && i < size - 3);
            if (mustEnd) {
                all[i++] = '\r';
                all[i] = '\n';
                column = 0;
            } else {
                int b = random.nextInt(220) + 32;
                all[i] = (byte) (b == 127 ? '.' : b);
                column++;
            }
        }
        return all;
    }

    /** RFC 5321 4.5.2: a dot at the start of a line is sent twice. */
    static byte[] stuffed(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(content.length + 16);
        boolean lineStart = true;
        for (byte b : content) {
            if (lineStart && b == '.') {
                out.write('.');
            }
            out.write(b);
            lineStart = b == '\n';
        }
        return out.toByteArray();
    }

    /** What follows the trace header that the daemon put in front. */
    static byte[] withoutTrace(byte[] mail) {
        String text = new String(mail, StandardCharsets.ISO_8859_1);
        int start = text.indexOf("From: Ann <ann@sender.test>");
        return text.substring(Math.max(start, 0)).getBytes(StandardCharsets.ISO_8859_1);
    }
}
