package smtpd.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TableFileTest {

    private static TableFile parse(String text) {
        return TableFile.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theFirstEntryDecidesTheKind() {
        assertThat(parse("# c\n\nroot:  alice, bob \nbin\t carol").entries())
                .containsExactly(
                        TableEntry.pair("root", "alice, bob"), TableEntry.pair("bin", "carol"));
        assertThat(parse("a\nb\n").kind()).isEqualTo(TableKind.LIST);
        assertThat(parse("# only comments\n").kind()).isEqualTo(TableKind.EMPTY);
    }

    @Test
    void separatorIsBlankOrColonWithBlanksAround() {
        for (String line :
                new String[] {"k v w", "k:v w", "k : v w", "k :v w", "k\tv w", "k:\tv w"}) {
            assertThat(parse(line).entries()).as(line).containsExactly(TableEntry.pair("k", "v w"));
        }
    }

    @Test
    void addressesAreKeysInSpiteOfTheirColons() {
        assertThat(parse("::1 localhost\n[2001:db8::1]: mx\n192.0.2.1:x\n").entries())
                .containsExactly(
                        TableEntry.pair("::1", "localhost"),
                        TableEntry.pair("[2001:db8::1]", "mx"),
                        TableEntry.pair("192.0.2.1", "x"));
        assertThat(parse("2001:db8::/32\n::1\n10.0.0.0/8").kind()).isEqualTo(TableKind.LIST);
    }

    @Test
    void listMarkTakesWholeLines() {
        TableFile file = parse("# @list\nsmtp://a:25\n two words \n");
        assertThat(file.kind()).isEqualTo(TableKind.LIST);
        assertThat(file.entries())
                .containsExactly(TableEntry.item("smtp://a:25"), TableEntry.item("two words"));
    }

    @Test
    void aLineOfTheOtherKindIsAnErrorWithItsLine() {
        assertThat(parse("a b\nc\n").firstError())
                .contains(new TableFile.Problem(2, "key without value", true));
        assertThat(parse("a\nb c\n").firstError())
                .contains(new TableFile.Problem(2, "malformed entry: a value in a list", true));
    }

    @Test
    void theLastOfTwoEqualKeysCounts() {
        TableFile file = parse("a: 1\nb: 2\nA: 3\n");
        assertThat(file.hasErrors()).isFalse();
        assertThat(file.entries())
                .containsExactly(TableEntry.pair("A", "3"), TableEntry.pair("b", "2"));
        assertThat(file.problems())
                .containsExactly(
                        new TableFile.Problem(3, "duplicate key A, the last one counts", false));
    }

    @Test
    void carriageReturnsAndByteOrderMarkAreTaken() {
        assertThat(parse("\ufeffa: b\r\nc: d").entries())
                .containsExactly(TableEntry.pair("a", "b"), TableEntry.pair("c", "d"));
    }

    @Test
    void everyTextIsReadWithoutAnException() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        String alphabet = "ab:[]# \t\r\n@list1.\0\u00ff";
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(40)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) alphabet.charAt(random.nextInt(alphabet.length()));
            }
            assertThat(TableFile.parse(bytes)).as("seed %d", seed).isNotNull();
        }
    }
}
