package smtpd.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines, verbs, names and parameters of commands. */
class CommandTest {

    /** Feeds the input in the given pieces, as a session does, and names what was found. */
    private static List<String> lines(String input, int... cuts) {
        byte[] all = input.getBytes(ISO_8859_1);
        LineScanner scanner = new LineScanner();
        List<String> found = new ArrayList<>();
        int from = 0;
        int piece = 0;
        int to = cuts.length == 0 ? all.length : cuts[0];
        while (true) {
            LineScanner.Found what = scanner.scan(all, from, to);
            from = scanner.next();
            if (what == LineScanner.Found.INCOMPLETE) {
                if (to == all.length) {
                    return found;
                }
                piece++;
                to = piece < cuts.length ? cuts[piece] : all.length;
                continue;
            }
            scanner.taken();
            if (what == LineScanner.Found.LINE) {
                int start = from;
                while (start == from || (start > 0 && all[start - 1] != '\n')) {
                    start--;
                }
                found.add(new String(all, start, scanner.end() - start, ISO_8859_1));
            } else {
                found.add(what.name());
                if (what == LineScanner.Found.BARE_LF || what == LineScanner.Found.FLOODED) {
                    return found;
                }
            }
        }
    }

    @Test
    void onlyCrLfEndsALine() {
        assertThat(lines("NOOP\r\nQUIT\r\n")).containsExactly("NOOP", "QUIT");
        assertThat(lines("NOOP\nQUIT\r\n")).containsExactly("BARE_LF");
        assertThat(lines("NO\rOP\r\nQUIT\r\n")).containsExactly("BARE_CR", "QUIT");
        assertThat(lines("NOOP\r\r\n")).containsExactly("BARE_CR");
        assertThat(lines("NO\0OP\r\n")).containsExactly("NUL");
        assertThat(lines("NO\tOP\r\nNOOP\r\n")).containsExactly("CONTROL", "NOOP");
        assertThat(lines("NOOP \u007f\r\n")).containsExactly("CONTROL");
        assertThat(lines("\r\n")).containsExactly("");
        assertThat(lines("NOOP   \r\n")).containsExactly("NOOP");
        assertThat(lines(" NOOP\r\n")).containsExactly(" NOOP");
    }

    @Test
    void lineOfTheLimitIsTakenAndOneMoreIsNot() {
        String fits = "NOOP" + " ".repeat(LineScanner.MAX_LINE - 6) + "\r\n";
        assertThat(lines(fits + "QUIT\r\n")).containsExactly("NOOP", "QUIT");
        assertThat(lines(" " + fits + "QUIT\r\n")).containsExactly("TOO_LONG", "QUIT");
    }

    @Test
    void overLongLineIsForgottenAsItComesAndFloodIsNoticed() {
        String line = "x".repeat(60_000) + "\r\nNOOP\r\n";
        int[] cuts = new int[600];
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = (i + 1) * 100;
        }
        assertThat(lines(line, cuts)).containsExactly("TOO_LONG", "NOOP");
        assertThat(lines("x".repeat(70_000))).containsExactly("FLOODED");
        assertThat(lines("x".repeat(70_000), 10_000, 30_000, 60_000, 66_000))
                .containsExactly("FLOODED");
        assertThat(lines("x".repeat(5000) + "\nNOOP\r\n", 3000)).containsExactly("BARE_LF");
    }

    @Test
    void cutsChangeNothing() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String[] parts = {"NOOP", "\r\n", "\r", "\n", "\0", "\t", " ", "x".repeat(2046), "é"};
        for (int n = 0; n < 3000; n++) {
            StringBuilder input = new StringBuilder();
            for (int i = random.nextInt(8); i >= 0; i--) {
                input.append(parts[random.nextInt(parts.length)]);
            }
            List<String> whole = lines(input.toString());
            for (int cut = 1; cut < input.length(); cut += 1 + random.nextInt(40)) {
                assertThat(lines(input.toString(), cut))
                        .as("seed %d cut %d", seed, cut)
                        .isEqualTo(whole);
            }
        }
    }

    @Test
    void verbsFoldCase() {
        for (Verb verb : Verb.values()) {
            if (verb != Verb.NOT_IMPLEMENTED && verb != Verb.UNKNOWN) {
                assertThat(verb(verb.name())).isEqualTo(verb);
                assertThat(verb(verb.name().toLowerCase(java.util.Locale.ROOT))).isEqualTo(verb);
            }
        }
        assertThat(verb("eTrN")).isEqualTo(Verb.NOT_IMPLEMENTED);
        assertThat(verb("LHLO")).isEqualTo(Verb.UNKNOWN);
        assertThat(verb("NOOPS")).isEqualTo(Verb.UNKNOWN);
        assertThat(verb("")).isEqualTo(Verb.UNKNOWN);
        assertThat(verb("\u00e8\u00e5\u00ec\u00ef")).isEqualTo(Verb.UNKNOWN);
    }

    private static Verb verb(String text) {
        byte[] a = text.getBytes(ISO_8859_1);
        return Verb.of(a, 0, a.length);
    }

    @ParameterizedTest
    @CsvSource({
        "mx.example, mx.example",
        "mx.example., mx.example",
        "my_host-1, my_host-1",
        "[192.0.2.1], [192.0.2.1]",
        "[IPv6:2001:DB8::0:1], [IPv6:2001:db8::1]",
        "[2001:db8::1], [IPv6:2001:db8::1]",
        "[IPv6:::ffff:192.0.2.1], [IPv6:::ffff:192.0.2.1]",
        "[IPv6:::], [IPv6:::]",
        "[IPv6:1:0:0:2:0:0:0:3], [IPv6:1:0:0:2::3]",
        "[IPv6:1:2:3:4:5:6:7:0], [IPv6:1:2:3:4:5:6:7:0]",
        "1, 1"
    })
    void heloNameIsTaken(String argument, String name) {
        byte[] a = argument.getBytes(UTF_8);
        assertThat(DomainName.helo(a, 0, a.length)).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "a b",
                "-a",
                "a-",
                "a..b",
                "grün",
                "[]",
                "[1.2.3]",
                "[192.0.2.1",
                "a@b",
                "a!b",
                "[IPv6:1:2:3:4:5:6:7:8:9]",
                "[IPv6:::1::]",
                "[IPv6:1:2:3:4:5:6:7::8]"
            })
    void otherHeloIsRefused(String argument) {
        byte[] a = argument.getBytes(UTF_8);
        assertThat(DomainName.helo(a, 0, a.length)).isNull();
    }

    private static final MailParameters.Offered ALL =
            new MailParameters.Offered(true, true, true, true);

    private static Object mail(String text, MailParameters.Offered offered) {
        byte[] a = text.getBytes(UTF_8);
        MailParameters.Reader reader = new MailParameters.Reader();
        MailParameters parameters = reader.read(a, 0, a.length, offered);
        return parameters == null ? reader.fault().toString() : parameters;
    }

    @Test
    void mailParametersAreRead() {
        assertThat(mail("", ALL)).isEqualTo(MailParameters.NONE);
        assertThat(mail(" SIZE=12 BODY=8BITMIME", ALL))
                .isEqualTo(new MailParameters(12, false, false, "", ""));
        assertThat(mail("  size=99999999999999999999   body=7bit ", ALL))
                .isEqualTo(new MailParameters(Long.MAX_VALUE, false, false, "", ""));
        assertThat(mail(" SMTPUTF8 REQUIRETLS RET=hdrs ENVID=a+3Db", ALL))
                .isEqualTo(new MailParameters(0, true, true, "HDRS", "a+3Db"));
        assertThat(mail(" AUTH=<>", ALL)).isEqualTo(new MailParameters(0, false, false, "", ""));
        assertThat(mail(" AUTH=ann+40b.example", ALL)).isInstanceOf(MailParameters.class);
        assertThat(mail(" AUTH=ann@b.example", ALL)).isInstanceOf(MailParameters.class);
        assertThat(mail(" ENVID=" + "e".repeat(100), ALL)).isInstanceOf(MailParameters.class);
    }

    @ParameterizedTest
    @CsvSource({
        "SIZE=x, 501 5.5.4 Bad SIZE parameter",
        "SIZE, 501 5.5.4 Bad SIZE parameter",
        "SIZE=, 501 5.5.4 Bad SIZE parameter",
        "SIZE=100000000000000000000, 501 5.5.4 Bad SIZE parameter",
        "SIZE=1 size=1, 501 5.5.4 SIZE given twice",
        "BODY=BINARYMIME, 555 5.5.4 Unsupported parameter: BODY",
        "BODY=9BIT, 501 5.5.4 Bad BODY parameter",
        "FOO=1, 555 5.5.4 Unsupported parameter: FOO",
        "F_O=1, 555 5.5.4 Unsupported parameter",
        "=1, 555 5.5.4 Unsupported parameter",
        "SMTPUTF8=yes, 501 5.5.4 Bad SMTPUTF8 parameter",
        "RET=X, 501 5.5.4 Bad RET parameter",
        "ENVID=a+4g, 501 5.5.4 Bad ENVID parameter",
        "ENVID=a+4, 501 5.5.4 Bad ENVID parameter",
        "ENVID=, 501 5.5.4 Bad ENVID parameter",
        "ENVID=a=b, 501 5.5.4 Bad ENVID parameter",
        "AUTH=+3C, 501 5.5.4 Bad AUTH parameter",
        "AUTH=ann, 501 5.5.4 Bad AUTH parameter"
    })
    void badMailParameterIsNamed(String text, String reply) {
        assertThat(mail(text, ALL)).isEqualTo(reply);
    }

    @Test
    void parameterOfAnExtensionNotOfferedIsUnknown() {
        var bare = new MailParameters.Offered(true, false, false, false);
        for (String text : List.of("RET=FULL", "ENVID=x", "AUTH=<>", "REQUIRETLS")) {
            assertThat((String) mail(text, bare)).startsWith("555 ");
        }
        var helo = new MailParameters.Offered(false, true, true, true);
        assertThat((String) mail("SIZE=1", helo)).startsWith("555 ");
        assertThat((String) mail("ENVID=" + "e".repeat(101), ALL)).startsWith("501 ");
        assertThat((String) mail("K".repeat(41) + "=1", ALL))
                .isEqualTo("555 5.5.4 Unsupported parameter");
    }

    private static Object rcpt(String text, boolean dsn, boolean utf8) {
        byte[] a = text.getBytes(UTF_8);
        RecipientParameters.Reader reader = new RecipientParameters.Reader();
        RecipientParameters parameters = reader.read(a, 0, a.length, dsn, utf8);
        return parameters == null ? reader.fault().toString() : parameters;
    }

    @Test
    void recipientParametersAreRead() {
        assertThat(rcpt("", true, false)).isEqualTo(RecipientParameters.NONE);
        assertThat(rcpt(" NOTIFY=NEVER ORCPT=rfc822;root", true, false))
                .isEqualTo(new RecipientParameters(8, "rfc822;root"));
        assertThat(rcpt(" notify=success,Delay", true, false))
                .isEqualTo(new RecipientParameters(5, ""));
        assertThat(rcpt(" ORCPT=utf-8;grün", true, true))
                .isEqualTo(new RecipientParameters(0, "utf-8;grün"));
        assertThat(rcpt(" ORCPT=rfc822;" + "x".repeat(493), true, false))
                .isInstanceOf(RecipientParameters.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NOTIFY=NEVER,DELAY",
                "NOTIFY=DELAY,NEVER",
                "NOTIFY=DELAY,DELAY",
                "NOTIFY=",
                "NOTIFY",
                "NOTIFY=OFTEN",
                "NOTIFY=DELAY,",
                "NOTIFY=,DELAY",
                "ORCPT=root",
                "ORCPT=;root",
                "ORCPT=rfc822;",
                "ORCPT=rfc(822;x",
                "ORCPT=utf-8;grün",
                "ORCPT=rfc822;a=b",
                "NOTIFY=DELAY NOTIFY=DELAY",
                "ORCPT=rfc822;a ORCPT=rfc822;a"
            })
    void badRecipientParameterIsRefused(String text) {
        assertThat((String) rcpt(text, true, false)).startsWith("501 5.5.4 ");
    }

    @Test
    void recipientParameterNotOfferedIsUnknown() {
        assertThat(rcpt("SIZE=9", true, false)).isEqualTo("555 5.5.4 Unsupported parameter: SIZE");
        assertThat(rcpt("NOTIFY=NEVER", false, false))
                .isEqualTo("555 5.5.4 Unsupported parameter: NOTIFY");
        assertThat((String) rcpt("ORCPT=rfc822;" + "x".repeat(494), true, false))
                .startsWith("501 ");
    }

    @Test
    void replyOfAnotherProcessIsCheckedAgain() {
        Reply fallback = Reply.TEMPORARY;
        assertThat(Reply.foreign("550 5.1.1 gone", "", fallback)).hasToString("550 5.1.1 gone");
        assertThat(Reply.foreign("550 gone", "5.1.6", fallback)).hasToString("550 5.1.6 gone");
        assertThat(Reply.foreign("450 later", "", fallback)).hasToString("450 4.0.0 later");
        assertThat(Reply.foreign("550 a\r\nb", "", fallback)).hasToString("550 5.0.0 a??b");
        for (String bad : List.of("", "250 ok", "55", "5x0 no", "550", "550 ", "550 4.1.1 no")) {
            assertThat(Reply.foreign(bad, "", fallback)).isSameAs(fallback);
        }
        assertThat(Reply.foreign("550 " + "x".repeat(2000), "", fallback).bytes(true))
                .hasSizeLessThan(512);
    }

    @Test
    void heloSessionGetsNoEnhancedCodes() {
        assertThat(new String(Reply.OK.bytes(true), UTF_8)).isEqualTo("250 2.0.0 Ok\r\n");
        assertThat(new String(Reply.OK.bytes(false), UTF_8)).isEqualTo("250 Ok\r\n");
        assertThat(new String(Reply.HELP.bytes(true), UTF_8))
                .startsWith("214-2.0.0 This is smtpd\r\n214 2.0.0 Commands: HELO EHLO ");
        assertThat(new String(Reply.HELP.bytes(false), UTF_8))
                .startsWith("214-This is smtpd\r\n214 Commands: ");
    }
}
