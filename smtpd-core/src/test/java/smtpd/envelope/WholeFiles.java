package smtpd.envelope;

import java.nio.charset.StandardCharsets;

/** Three envelope files with sums that an independent program computed. */
final class WholeFiles {

    static final String LOCAL =
            """
            version: 2
            format: 1
            action: @a56504ab1e9002ea
            tag: lan
            type: mda
            smtpname: mx1.example.org
            helo: client.example.net
            hostname: client.example.net
            sockaddr: 192.0.2.17
            sender: ann@example.net
            rcpt: sales@example.org
            dest: bob@example.org
            ctime: 1767225600
            last-try: 0
            last-bounce: 0
            expire: 345600
            retry: 0
            mda-buffer: /home/%{user.username}/Maildir
            mda-method: maildir
            mda-user: bob
            mda-usertable: <getpwnam>
            expand: raw
            content: 5120 8f2c03d1 131
            end: 4762ff7b
            """;

    static final String RELAY =
            """
            version: 2
            format: 1
            action: @afa7031d52e19af9
            tag: local
            type: mta
            smtpname: mx1.example.org
            helo: localhost
            hostname: 1004@localhost
            errorline: 451 4.7.1 greylisted, try again later
            sockaddr: local
            sender: bob@example.org
            rcpt: zed@example.com
            dest: zed@example.com
            ctime: 1767225600
            last-try: 1767227210
            last-bounce: 0
            expire: 345600
            retry: 2
            flags: authenticated
            mta-relay: tls+auth://isp@smtp.isp.example:587
            mta-relay-auth: secrets
            remote-mta: smtp.isp.example [198.51.100.25]
            need: 8bitmime
            content: 88210 1b77e0aa 1604
            end: 532a5b0b
            """;

    static final String BOUNCE =
            """
            version: 2
            format: 1
            action: @afa7031d52e19af9
            tag: local
            type: bounce
            smtpname: mx1.example.org
            helo: localhost
            hostname: 1004@localhost
            errorline: 550 5.1.1 no such user here
            sockaddr: local
            sender: bob@example.org
            rcpt: zed@example.com
            dest: zed@example.com
            ctime: 1767229300
            last-try: 0
            last-bounce: 0
            expire: 604800
            retry: 0
            flags: authenticated
            bounce-type: error
            notice: 5d10c7e9
            remote-mta: smtp.isp.example [198.51.100.25]
            need: 8bitmime
            content: 88210 1b77e0aa 1604
            end: 10a47e8e
            """;

    private WholeFiles() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A small file as the C original writes it. */
    static String classic(String... moreLines) {
        StringBuilder b = new StringBuilder();
        b.append("version: 2\ntag: lan\ntype: mda\nsmtpname: mx1.example.org\nhelo: c.example\n");
        b.append("hostname: c.example\nsockaddr: 192.0.2.1\nsender: ann@example.net\n");
        b.append("rcpt: bob@example.org\ndest: bob@example.org\nctime: 1767225600\nlast-try: 0\n");
        b.append("last-bounce: 0\nexpire: 345600\nretry: 0\n");
        for (String line : moreLines) {
            b.append(line).append('\n');
        }
        return b.toString();
    }
}
