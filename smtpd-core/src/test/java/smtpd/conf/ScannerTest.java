package smtpd.conf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ScannerTest {

    private static final String ALPHABET = "abZ09_:./~@*%[]+-$\"'\\ \t!#=<>(){},|é";

    private final Problems problems = new Problems();

    private List<String> scan(String text) {
        Scanner scanner = new Scanner(text, "f", null, problems);
        List<String> tokens = new ArrayList<>();
        for (Token token = scanner.next(); token != null; token = scanner.next()) {
            tokens.add(token.kind() == Token.Kind.END ? "$end" : token.text());
        }
        return tokens;
    }

    @Test
    void wordsAndNumbersEndWhereTheLanguageSays() {
        assertThat(scan("4d 35M 192.0.2.1 25,7} 10/8 ::1 file:/etc/x -"))
                .containsExactly(
                        "4d",
                        "35M",
                        "192.0.2.1",
                        "25",
                        ",",
                        "7",
                        "}",
                        "10",
                        "/8",
                        "::1",
                        "file:/etc/x",
                        "-");
        assertThat(problems.hasErrors()).isFalse();
    }

    @Test
    void commentContinuedByABackslashSwallowsTheNextLine() {
        assertThat(scan("a # comment \\\nstill comment\nb#c\nd"))
                .containsExactly("a", "$end", "b", "$end", "d");
    }

    @Test
    void newlineInsideQuotesIsDropped() {
        assertThat(scan("\"one \ntwo\" \"three\\\nfour\" x"))
                .containsExactly("one two", "threefour", "x");
    }

    @Test
    void backslashInsideQuotesEscapesOnlyQuoteAndBlank() {
        assertThat(scan("\"a\\.b\\\"c\\ d\" 'it\\'s' '\"'"))
                .containsExactly("a\\.b\"c d", "it's", "\"");
    }

    @Test
    void backslashOutsideQuotesIsDroppedAndJoinsLines() {
        assertThat(scan("li\\\nsten \\a\\-b \\\r\n x\r\ny"))
                .containsExactly("listen", "a-b", "x", "$end", "y");
    }

    @Test
    void assignHasTwoSpellings() {
        assertThat(scan("a=b c=>d")).containsExactly("a", "=", "b", "c", "=>", "d");
    }

    @Test
    void unclosedQuoteIsReportedAtItsLineAndReadingGoesOn() {
        assertThat(scan("a\nb \"c\nd\n")).containsExactly("a", "$end", "b", "$end", "d", "$end");
        assertThat(problems.all())
                .extracting(ConfigError::toString)
                .containsExactly("f:2: quoted text is not closed");
    }

    @Test
    void nulIsAnErrorEverywhere() {
        scan("a\0b\n# c\0\n\"d\0\"\n");
        assertThat(problems.all()).extracting(error -> error.at().line()).containsExactly(1, 2, 3);
    }

    @Test
    void tokensKnowLineAndColumnOfTheirFirstCharacter() {
        Scanner scanner = new Scanner("\n  ab \\\n cd", "f", null, problems);
        scanner.next();
        assertThat(scanner.next().at()).isEqualTo(new Position("f", 2, 3));
        assertThat(scanner.next().at()).isEqualTo(new Position("f", 3, 2));
    }

    @Test
    void tooLongATokenIsRefused() {
        scan("x".repeat(8095));
        assertThat(problems.hasErrors()).isFalse();
        scan("x".repeat(8096));
        assertThat(problems.all())
                .extracting(ConfigError::message)
                .containsExactly("text longer than 8095 bytes");
    }

    @Test
    void whatIsQuotedIsReadBackUnchanged() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(12);
            for (int i = 0; i < length; i++) {
                text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
            }
            String content = text.toString();
            // Inside quotes no text ends in a backslash: it would escape the quote.
            if (content.endsWith("\\") && Scanner.quote(content).startsWith("\"")) {
                continue;
            }
            assertThat(scan(Scanner.quote(content)))
                    .as("seed %d, content %s, quoted %s", seed, content, Scanner.quote(content))
                    .containsExactly(content);
        }
        assertThat(problems.hasErrors()).as("seed %d", seed).isFalse();
    }

    @Test
    void everyTextEndsWithoutAnException() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String alphabet = ALPHABET + "\n\n\r\0accept listen on for any relay table from ";
        for (int round = 0; round < 3000; round++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(80);
            for (int i = 0; i < length; i++) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            assertThat(ConfigParserTest.read(text.toString()))
                    .as("seed %d text %s", seed, text)
                    .isNotNull();
        }
    }

    @Test
    void shuffledWordsOfTheLanguageEndWithoutAnException() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String[] words = {
            "accept",
            "reject",
            "from",
            "for",
            "any",
            "local",
            "domain",
            "!",
            "<t>",
            "{",
            "}",
            ",",
            "=",
            "table",
            "t",
            "relay",
            "via",
            "smtp://h",
            "deliver",
            "to",
            "maildir",
            "mda",
            "as",
            "expire",
            "4d",
            "limit",
            "mta",
            "queue",
            "space",
            "5%",
            "listen",
            "on",
            "lo0",
            "port",
            "25",
            "\n",
            "\n",
            "alias",
            "recipient",
            "retry",
            "base",
            "1m",
            "include",
            "x",
            "$m",
            "m",
            "resolver",
            "127.0.0.1",
            "tagged",
            "sender",
            "backup",
            "source",
            "hostnames"
        };
        for (int round = 0; round < 4000; round++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(30);
            for (int i = 0; i < length; i++) {
                text.append(words[random.nextInt(words.length)]).append(' ');
            }
            ConfigParser.Parsed parsed = ConfigParserTest.read(text.toString());
            if (parsed.config().isPresent()) {
                assertThat(ConfigPrinter.print(parsed.config().get()))
                        .as("seed %d text %s", seed, text)
                        .isNotNull();
            } else {
                assertThat(parsed.problems()).as("seed %d text %s", seed, text).isNotEmpty();
            }
        }
    }
}
