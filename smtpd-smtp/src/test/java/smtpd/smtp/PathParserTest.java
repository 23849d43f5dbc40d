package smtpd.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathParserTest {

    private final PathParser parser = new PathParser();

    private String parse(String argument) {
        byte[] a = argument.getBytes(UTF_8);
        return parser.parse(a, 0, a.length, "mx.example", true)
                ? parser.address().toString()
                : "fault";
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " -> ",
            quoteCharacter = '~',
            value = {
                "<a@b.example> -> a@b.example",
                "<A@B> -> A@B",
                "<postmaster> -> postmaster@mx.example",
                "<PostMaster> -> PostMaster@mx.example",
                "<bob> -> bob@mx.example",
                "<@x,@y:a@b> -> a@b",
                "<a%c@b> -> a%c@b",
                "<c!a@b> -> c!a@b",
                "<a+tag@b> -> a+tag@b",
                "<a/b@c> -> a/b@c",
                "<|id@b> -> |id@b",
                "</etc/x@b> -> /etc/x@b",
                "<-f@b> -> -f@b",
                "<`id`@b> -> `id`@b",
                "<$a@b> -> $a@b",
                "<a'b@c> -> a'b@c",
                "<\"a\"@b> -> a@b",
                "<\"a b\"@c> -> \"a b\"@c",
                "<\"a\\ b\"@c> -> \"a b\"@c",
                "<\"\\a b\"@c> -> \"a b\"@c",
                "<\"a@b\"@c> -> \"a@b\"@c",
                "<\"a>b\"@c> -> \"a>b\"@c",
                "<\"a:b\"@c> -> \"a:b\"@c",
                "<\"a\\\"b\"@c> -> \"a\\\"b\"@c",
                "<\"a\\\\b\"@c> -> \"a\\\\b\"@c",
                "<\"..a\"@b> -> \"..a\"@b",
                "<a@b_c.example> -> a@b_c.example",
                "<a@localhost> -> a@localhost",
                "<a@1> -> a@1",
                "<a@192.0.2.1> -> a@192.0.2.1",
                "<a@[192.0.2.1]> -> a@[192.0.2.1]",
                "<a@[IPv6:2001:DB8:0::1]> -> a@[IPv6:2001:db8::1]",
                "<a@[ipv6:2001:db8::1]> -> a@[IPv6:2001:db8::1]",
                "<a@[2001:db8::1]> -> a@[IPv6:2001:db8::1]",
                "<grün@b> -> grün@b",
                "<a@grün.example> -> a@grün.example",
                "<a@xn--grn-ioa.example> -> a@xn--grn-ioa.example",
                "<SRS0=h=t=d=u@b> -> SRS0=h=t=d=u@b",
                "<prvs=1=a@b> -> prvs=1=a@b",
            })
    void addressIsBroughtToItsNormalForm(String argument, String expected) {
        assertThat(parse(argument)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "< >",
                "< a@b>",
                "<a@b >",
                "a@b",
                "<a@b",
                "a@b>",
                "<<a@b>>",
                "Ann <a@b>",
                "<a@b>x",
                "<a@b>,<c@d>",
                "<bob@>",
                "<@b>",
                "<@>",
                "<@x:>",
                "<x:a@b>",
                "<:a@b>",
                "<a;b@c>",
                "<a,b@c>",
                "<a(c)@b>",
                "<.a@b>",
                "<a.@b>",
                "<a..b@c>",
                "<a@b@c>",
                "<a@@b>",
                "<\"\"@b>",
                "<\"a@b>",
                "<a\"b\"@c>",
                "<\"a\"b@c>",
                "<a@b.>",
                "<a@.b>",
                "<a@b..c>",
                "<a@-b>",
                "<a@b->",
                "<a@[192.0.2.300]>",
                "<a@[192.0.2]>",
                "<a@[]>",
                "<a@[IPv6:192.0.2.1]>",
                "<a@[x400:c=de]>",
                "<a@[192.0.2.1>",
                "<a@192.0.2.1]>",
                "<a@[192.0.02.1]>",
                "<a@[IPv6:1::2::3]>",
                "<a@[IPv6:12345::]>",
                "",
                "<",
                ">",
                "<a\u0085@b>",
                "<a\u2028@b>",
                "<\"a\u2029\"@b>",
                "<a\tb@c>",
                "<\"a\tb\"@c>",
                "<@[192.0.2.1]:a@b>",
                "<@x a@b>",
                "<a@[192.0.2.1]x>"
            })
    void malformedAddressIsRefused(String argument) {
        assertThat(parse(argument)).isEqualTo("fault");
    }

    @Test
    void nullSenderIsOnlyForSenders() {
        byte[] a = "<>".getBytes(UTF_8);
        assertThat(parser.parse(a, 0, 2, "mx.example", true)).isTrue();
        assertThat(parser.address().isNull()).isTrue();
        assertThat(parser.parse(a, 0, 2, "mx.example", false)).isFalse();
    }

    @Test
    void blanksAroundTheBracketsAreFine() {
        assertThat(parse(" <a@b>")).isEqualTo("a@b");
        assertThat(parse("<a@b>   ")).isEqualTo("a@b");
    }

    @Test
    void parametersBeginBehindTheBracketEvenWhenOneStandsInQuotes() {
        byte[] a = "<\"a>b\"@c> SIZE=9".getBytes(UTF_8);
        assertThat(parser.parse(a, 0, a.length, "mx", true)).isTrue();
        assertThat(parser.next()).isEqualTo(9);
    }

    @Test
    void lengthLimitsCountBytesOfTheNormalForm() {
        assertThat(parse("<" + "l".repeat(64) + "@b>")).isNotEqualTo("fault");
        assertThat(parse("<" + "l".repeat(252) + "@b>")).isNotEqualTo("fault");
        assertThat(parse("<" + "l".repeat(253) + "@b>")).isEqualTo("fault");
        assertThat(parse("<\"" + "l".repeat(252) + "\"@b>")).isNotEqualTo("fault");
        assertThat(parse("<\"" + "l ".repeat(126) + "\"@b>")).isEqualTo("fault");
        String label = "d".repeat(63);
        assertThat(parse("<a@" + label + ">")).isNotEqualTo("fault");
        assertThat(parse("<a@" + label + "d>")).isEqualTo("fault");
        String domain = (label + ".").repeat(3) + "d".repeat(60);
        assertThat(domain).hasSize(252);
        assertThat(parse("<a@" + domain + ">")).isNotEqualTo("fault");
        assertThat(parse("<aa@" + domain + ">")).isEqualTo("fault");
        assertThat(parse("<" + "l".repeat(244) + ">")).isEqualTo("fault");
        assertThat(parse("<" + "l".repeat(243) + ">")).isNotEqualTo("fault");
    }

    @Test
    void nonAsciiIsToldSoThatItNeedsSmtputf8() {
        assertThat(parse("<grün@b>")).isNotEqualTo("fault");
        assertThat(parser.isNonAscii()).isTrue();
        assertThat(parse("<\"gr ün\"@b>")).isNotEqualTo("fault");
        assertThat(parser.isNonAscii()).isTrue();
        assertThat(parse("<a@b>")).isEqualTo("a@b");
        assertThat(parser.isNonAscii()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ã(", "À\u0080", "í\u00a0\u0080", "ô\u0090\u0080\u0080", "\u0080"})
    void illFormedUtf8IsRefused(String bytes) {
        byte[] a = ("<a" + bytes + "@b>").getBytes(ISO_8859_1);
        assertThat(parser.parse(a, 0, a.length, "mx", true)).isFalse();
        byte[] d = ("<a@b" + bytes + ">").getBytes(ISO_8859_1);
        assertThat(parser.parse(d, 0, d.length, "mx", true)).isFalse();
    }

    @Test
    void whatIsAcceptedIsAcceptedAgainInNormalForm() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String alphabet = "ab@.<>\"\\ :[]-_,ü1" + (char) 0x85;
        for (int n = 0; n < 200_000; n++) {
            StringBuilder text = new StringBuilder("<");
            int length = random.nextInt(14);
            for (int i = 0; i < length; i++) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            String once = parse(text.append('>').toString());
            if (!once.equals("fault") && !once.isEmpty()) {
                assertThat(parse("<" + once + ">")).as("seed %d, %s", seed, text).isEqualTo(once);
            }
        }
    }
}
