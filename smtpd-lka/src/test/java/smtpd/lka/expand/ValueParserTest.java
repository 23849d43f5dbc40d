package smtpd.lka.expand;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import smtpd.lka.expand.Value.Address;
import smtpd.lka.expand.Value.Command;
import smtpd.lka.expand.Value.Filename;
import smtpd.lka.expand.Value.Include;
import smtpd.lka.expand.Value.Refuse;
import smtpd.lka.expand.Value.Username;
import smtpd.mail.MailAddress;

class ValueParserTest {

    @Test
    void everyFormOfTargetIsKnown() throws BadValue {
        assertThat(
                        ValueParser.line(
                                "bob, ann+x@example.org,/var/log/mail, |/bin/cat -, :include:/l"))
                .containsExactly(
                        new Username("bob"),
                        new Address(new MailAddress("ann+x", "example.org")),
                        new Filename("/var/log/mail"),
                        new Command("/bin/cat -"),
                        new Include("/l"));
        assertThat(ValueParser.line("include:/l")).containsExactly(new Include("/l"));
        assertThat(ValueParser.line("error:550 5.1.1 gone"))
                .containsExactly(new Refuse("550 5.1.1 gone"));
        assertThat(ValueParser.line(":error:450 later")).containsExactly(new Refuse("450 later"));
    }

    @Test
    void quotesProtectCommasAndHashes() throws BadValue {
        assertThat(ValueParser.line("\"|/bin/f a, b #c\""))
                .containsExactly(new Command("/bin/f a, b #c"));
        assertThat(ValueParser.line("|\"/bin/f a, b\""))
                .containsExactly(new Command("\"/bin/f a, b\""));
        assertThat(ValueParser.line("|/bin/f a, b"))
                .containsExactly(new Command("/bin/f a"), new Username("b"));
        assertThat(ValueParser.line("|sh -c 'a \" , b'"))
                .containsExactly(new Command("sh -c 'a \" , b'"));
    }

    @Test
    void backslashKeepsTheNextCharacterAndDisappears() throws BadValue {
        assertThat(ValueParser.line("\\bob")).containsExactly(new Username("bob"));
        assertThat(ValueParser.line("|f a\\, b")).containsExactly(new Command("f a, b"));
    }

    @Test
    void quotesAroundAWholeNameOrAddressAreDropped() throws BadValue {
        assertThat(ValueParser.line("\"bob\", 'ann@example.org'"))
                .containsExactly(
                        new Username("bob"), new Address(new MailAddress("ann", "example.org")));
    }

    @Test
    void emptyPiecesAreSkippedAndCommentsEndTheLine() throws BadValue {
        assertThat(ValueParser.line(" , bob,, # ann")).containsExactly(new Username("bob"));
        assertThat(ValueParser.line("bob#x")).containsExactly(new Username("bob"));
        assertThat(ValueParser.mapping("a#b@example.org # x"))
                .containsExactly(new Address(new MailAddress("a#b", "example.org")));
        assertThat(ValueParser.line("# nothing")).isEmpty();
    }

    @Test
    void literalsAndUtf8AddressesPass() throws BadValue {
        assertThat(ValueParser.line("bob@[192.0.2.1], j\u00f6rg@b\u00fccher.example")).hasSize(2);
    }

    @Test
    void malformedTargetsAreRefused() {
        for (String bad :
                List.of(
                        "'x",
                        "\"|cmd",
                        "bob\\",
                        "user@",
                        "@dom",
                        "a@b@c",
                        "a b",
                        "error:550",
                        "error:250 ok",
                        "error:550 -x",
                        "include:relative",
                        "/var/mail/",
                        "|",
                        "bob@[nonsense]",
                        "a;b@example.org",
                        "\"a\" b",
                        "bob\0",
                        "x\r",
                        "x".repeat(256),
                        "|" + "x".repeat(1024),
                        "/" + "x".repeat(1024))) {
            assertThatThrownBy(() -> ValueParser.line(bad)).as(bad).isInstanceOf(BadValue.class);
        }
    }

    @Test
    void fileHasCommentsContinuationsAndAnyLineEnd() throws BadValue {
        assertThat(parse("\ufeff# list\r\nbob, \\\nann\r\n\n  carl # third\n\"|cmd #1\""))
                .containsExactly(
                        new Username("bob"),
                        new Username("ann"),
                        new Username("carl"),
                        new Command("cmd #1"));
        assertThat(parse("")).isEmpty();
        assertThat(parse("|a \\\\\nbob")).containsExactly(new Command("a \\"), new Username("bob"));
    }

    @Test
    void oneBadLineMakesTheWholeFileUnusableAndNamesItsNumber() {
        assertThatThrownBy(() -> parse("bob\nann\n'x\n")).hasMessageStartingWith("line 3: ");
        assertThatThrownBy(() -> parse("bob\\")).isInstanceOf(BadValue.class);
        assertThatThrownBy(() -> parse("|" + "x,".repeat(1025))).hasMessageContaining("2048");
        assertThatThrownBy(() -> TargetFile.parse(new byte[] {'b', (byte) 0xff}))
                .isInstanceOf(BadValue.class);
    }

    @Test
    void anyTextIsEitherTargetsOrABadValue() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String signs = "ab@.,|/\\\"'#:+ \t\n\rerroinclude:45\0\u00e9";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(30); n > 0; n--) {
                text.append(signs.charAt(random.nextInt(signs.length())));
            }
            try {
                for (Value value : parse(text.toString())) {
                    assertThat(value.toString()).as("seed %d", seed).doesNotContain("\n", "\0");
                }
            } catch (BadValue e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotEmpty();
            }
        }
    }

    private static List<Value> parse(String text) throws BadValue {
        return TargetFile.parse(text.getBytes(StandardCharsets.UTF_8));
    }
}
