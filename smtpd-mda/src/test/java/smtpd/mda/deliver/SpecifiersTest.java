package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import smtpd.mail.MailAddress;

final class SpecifiersTest {

    private static final MailAddress RCPT = new MailAddress("Bob+news", "example.org");

    private static String path(String text) throws Specifiers.BadFormat {
        return path(Jobs.SENDER, text);
    }

    private static String path(MailAddress sender, String text) throws Specifiers.BadFormat {
        Job job = Jobs.job(sender, RCPT, Jobs.BOB, "/home/bob", "", new Method.Mbox());
        return new Specifiers(job, null).expand(Method.Text.raw(text), Specifiers.Use.PATH);
    }

    private static String command(MailAddress sender, String text, String mda)
            throws Specifiers.BadFormat {
        Job job = Jobs.job(sender, RCPT, Jobs.BOB, "/home/bob", "", new Method.Mbox());
        return new Specifiers(job, mda).expand(Method.Text.raw(text), Specifiers.Use.COMMAND);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "[0:3] exam",
                "[4] p",
                "[8:] org",
                "[-3:] org",
                "[:6] example",
                "[0:-4] example",
                "[-3:-1] or",
                "[0:99] example.org",
                "[-1] g",
                "[0:3]:uppercase EXAM",
                ":uppercase[0:3] EXAM"
            })
    void rangesCountFromBothEnds(String suffix, String expected) throws Exception {
        assertThat(path("%{rcpt.domain" + suffix + "}")).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[11:]",
                "[3:2]",
                "[-99:]",
                "[]",
                "[x]",
                "[0:3]|uppercase",
                "[0",
                "[:]",
                ":",
                ":bold"
            })
    void rangesOutsideTheValueAreErrors(String suffix) {
        assertThatThrownBy(() -> path("%{rcpt.domain" + suffix + "}"))
                .isInstanceOf(Specifiers.BadFormat.class);
    }

    @Test
    void variablesAndModifiers() throws Exception {
        assertThat(path("/m/%{rcpt}")).isEqualTo("/m/Bob+news@example.org");
        assertThat(path("/m/%{rcpt:strip|lowercase}")).isEqualTo("/m/bob@example.org");
        assertThat(path("~/x/%{user.username}")).isEqualTo("/home/bob/x/bob");
        assertThat(path("%{user.directory}/y%%z")).isEqualTo("/home/bob/y%z");
        assertThat(path("/%{mbox.from}")).isEqualTo("/ann@far.example");
        assertThat(path(MailAddress.NULL, "/%{mbox.from}")).isEqualTo("/MAILER-DAEMON");
        assertThat(path("/%{SENDER.User}")).isEqualTo("/ann");
    }

    @Test
    void emptySenderMakesAnUnderscoreInPathsAndNothingInCommands() throws Exception {
        assertThat(path(MailAddress.NULL, "/srv/%{sender.domain}/x")).isEqualTo("/srv/_/x");
        assertThat(path(MailAddress.NULL, "/srv/%{sender.user[0:1]}/x")).isEqualTo("/srv/_/x");
        assertThat(command(MailAddress.NULL, "cmd '%{sender}'", null)).isEqualTo("cmd ''");
    }

    @Test
    void anAddressNeverAddsAPathComponent() throws Exception {
        MailAddress evil = new MailAddress("../../etc/passwd", "x");
        assertThat(path(evil, "/srv/%{sender.user}")).isEqualTo("/srv/..:..:etc:passwd");
        assertThat(path(evil, "/srv/%{sender.user:raw}")).isEqualTo("/srv/..:..:etc:passwd");
    }

    @Test
    void whatAShellWouldReadIsEscapedInCommands() throws Exception {
        MailAddress evil = new MailAddress("`id`;x $(id)&|<>\"\\'\n", "y");
        assertThat(command(evil, "c %{sender}", null)).isEqualTo("c :id::x:::id:::::::::@y");
        assertThat(command(new MailAddress("a\nb", "y"), "c %{sender:raw}", null))
                .isEqualTo("c a:b@y");
    }

    @Test
    void expandedTextOfAnOldQueueIsNeverExpandedAgain() throws Exception {
        Job job = Jobs.job("/home/bob", new Method.Mbox());
        assertThat(
                        new Specifiers(job, null)
                                .expand(
                                        new Method.Text("/m/%{sender}", false),
                                        Specifiers.Use.PATH))
                .isEqualTo("/m/%{sender}");
    }

    @Test
    void wrapperNamesTheCommand() throws Exception {
        assertThat(command(Jobs.SENDER, "nice %{mda}", "procmail -d 'x y'"))
                .isEqualTo("nice procmail -d 'x y'");
        assertThatThrownBy(() -> command(Jobs.SENDER, "nice %{mda}", null))
                .isInstanceOf(Specifiers.BadFormat.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"%{rcpt", "%{unknown}", "%{}", "%{rcpt.user.domain}"})
    void badTextIsAnErrorAndNeverRunUnexpanded(String text) {
        assertThatThrownBy(() -> path(text)).isInstanceOf(Specifiers.BadFormat.class);
    }

    @Test
    void tooLongResultIsRefused() {
        assertThatThrownBy(() -> path("/" + "x".repeat(1023)))
                .isInstanceOf(Specifiers.BadFormat.class);
    }

    @Test
    void noSenderMakesACommandDoMore() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            StringBuilder local = new StringBuilder();
            for (int k = random.nextInt(12); k >= 0; k--) {
                local.append((char) (1 + random.nextInt(127)));
            }
            String out;
            try {
                out = command(new MailAddress(local.toString(), ""), "%{sender}", null);
            } catch (Specifiers.BadFormat e) {
                continue;
            }
            assertThat(out)
                    .as("seed %d", seed)
                    .doesNotContainPattern("[\\x00-\\x20`$;|&<>()\\\\'\"*?!#{}~]");
        }
    }
}
