package smtpd.conf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigLoaderTest {

    @TempDir Path dir;

    private ConfigLoader loader(boolean strict) {
        return new ConfigLoader(
                3, Instance.at(dir), "mx.example.org", List.of(new Macro("unused", "x")), strict);
    }

    private Path file(String name, String text) throws IOException {
        Path file = dir.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        return file;
    }

    @Test
    void includesAreReadRelativeToTheIncludingFileAndMacrosPassThrough() throws Exception {
        Path top =
                file("smtpd.conf", "include sub/a\nlisten on lo0 port $port\ninclude \"sub/a\"\n");
        file("sub/a", "include b\n");
        file("sub/b", "port = 2500\naccept for any relay");
        ConfigLoader.Loaded loaded = loader(false).load(top);
        Config config = loaded.parsed().config().orElseThrow();
        assertThat(config.listeners().getFirst().port()).isEqualTo(2500);
        assertThat(config.rules().getFirst().at()).hasToString(dir.resolve("sub/b") + ":2");
        assertThat(loaded.bundle().files()).hasSize(3);
    }

    @Test
    void childrenSeeTheSameConfigurationFromTheBytes() throws Exception {
        Path top = file("smtpd.conf", "include sub/a\naccept for any relay\n");
        file("sub/a", "listen on lo0\nqueue sync none\n");
        ConfigLoader.Loaded loaded = loader(false).load(top);
        ConfigBundle handed = ConfigBundle.decode(ByteBuffer.wrap(loaded.bundle().encode()));
        assertThat(handed).isEqualTo(loaded.bundle());
        assertThat(ConfigParser.parse(handed)).isEqualTo(loaded.parsed().config().orElseThrow());
    }

    @Test
    void damagedBundlesAreRefusedAndNeverExplode() throws Exception {
        byte[] whole =
                loader(false).load(file("smtpd.conf", "accept for any relay\n")).bundle().encode();
        for (int length = 0; length < whole.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(whole, 0, length);
            assertThatThrownBy(() -> ConfigBundle.decode(cut))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (int round = 0; round < 5000; round++) {
            byte[] bent = whole.clone();
            bent[random.nextInt(bent.length)] = (byte) random.nextInt(256);
            try {
                assertThat(ConfigParser.read(ConfigBundle.decode(ByteBuffer.wrap(bent))))
                        .as("seed %d", seed)
                        .isNotNull();
            } catch (IllegalArgumentException refused) {
                assertThat(refused.getMessage()).as("seed %d", seed).isNotEmpty();
            }
        }
    }

    @Test
    void includeLoopNamesTheChain() throws Exception {
        Path top = file("a", "include b\naccept for any relay\n");
        file("b", "include a\n");
        assertThat(loader(false).load(top).parsed().problems())
                .extracting(ConfigError::toString)
                .containsExactly(
                        dir.resolve("b")
                                + ":1: include loop: "
                                + top
                                + " -> "
                                + dir.resolve("b")
                                + " -> "
                                + top);
    }

    @Test
    void includesNestSixteenDeep() throws Exception {
        for (int i = 0; i < 20; i++) {
            file("f" + i, i == 16 ? "accept for any relay" : "include f" + (i + 1) + "\n");
        }
        assertThat(loader(false).load(dir.resolve("f0")).parsed().config()).isPresent();
        file("f16", "include f17\n");
        assertThat(loader(false).load(dir.resolve("f0")).parsed().problems())
                .extracting(ConfigError::message)
                .contains("includes nested deeper than 16");
    }

    @Test
    void missingIncludeIsReportedAndTheRestIsRead() throws Exception {
        Path top = file("smtpd.conf", "include nowhere\nfoo\naccept for any relay\n");
        assertThat(loader(false).load(top).parsed().problems())
                .extracting(ConfigError::toString)
                .containsExactly(
                        top
                                + ":1: cannot read included file "
                                + dir.resolve("nowhere")
                                + ": it does not exist",
                        top
                                + ":2: unknown statement \"foo\"; expected one of accept, reject,"
                                + " listen, table, expire, bounce-warn, max-message-size,"
                                + " max-mta-deferred, ...");
    }

    @Test
    void aDaemonOfRootRefusesFilesThatOthersMayWrite() throws Exception {
        Path top = file("smtpd.conf", "accept for any relay\n");
        Files.setPosixFilePermissions(top, PosixFilePermissions.fromString("rw-rw-r--"));
        assertThatThrownBy(() -> loader(true).load(top)).hasMessage("group or others may write it");
        assertThat(loader(false).load(top).parsed().config()).isPresent();
    }

    @Test
    void missingTopFileIsAnErrorNeverADefault() {
        assertThatThrownBy(() -> loader(false).load(dir.resolve("none")))
                .isInstanceOf(IOException.class)
                .hasMessage("it does not exist");
    }

    @Test
    void theBuiltInConfigurationIsGood() {
        for (Instance instance : List.of(Instance.system(), Instance.at(dir))) {
            ConfigParser.Parsed parsed =
                    new ConfigLoader(1, instance, "mx.example.org", List.of(), false)
                            .loadText("built-in", DefaultConfig.text(instance))
                            .parsed();
            assertThat(parsed.problems()).isEmpty();
            assertThat(parsed.config().orElseThrow().listeners().getFirst().port())
                    .isEqualTo(instance.isPrivate() ? 2525 : 25);
        }
    }

    @Test
    void privateInstanceWithTooLongASocketPathIsRefused() {
        assertThatThrownBy(() -> Instance.at(Path.of("/" + "x".repeat(100))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a socket path holds 107");
    }

    @Test
    void serverNameComesFromTheMailnameFileThenTheHost() throws Exception {
        Instance instance = Instance.at(dir);
        assertThat(ConfigLoader.serverName(instance, "box", "")).contains("box");
        assertThat(ConfigLoader.serverName(instance, "not a name", "")).contains("localhost");
        file("mailname", "mail.example.org\nsecond\n");
        assertThat(ConfigLoader.serverName(instance, "box", "")).contains("mail.example.org");
    }

    @Test
    void commandLineMacroIsSplitAtTheLastEqualsSign() {
        assertThat(Macro.split("a=b=c")).contains(new Macro("a=b", "c"));
        assertThat(Macro.split("abc")).isEmpty();
        ConfigBundle bundle =
                new ConfigBundle(
                        1,
                        Instance.at(dir),
                        "x.example",
                        List.of(new Macro("a=b", "c")),
                        List.of(
                                new SourceFile(
                                        "f",
                                        "accept for any relay"
                                                .getBytes(
                                                        java.nio.charset.StandardCharsets.UTF_8))));
        assertThat(ConfigParser.read(bundle).problems())
                .extracting(ConfigError::message)
                .containsExactly(
                        "macro name \"a=b\" has a character other than letter, digit, underscore");
    }

    @Test
    void tableFilesAreCheckedAgainstTheirUse() throws Exception {
        Path nets = file("nets", "10.0.0.0/8\nnonsense\n");
        Path aliases = file("aliases", "root: alice\nbob\n");
        Path top =
                file(
                        "smtpd.conf",
                        "table n file:"
                                + nets
                                + "\ntable a file:"
                                + aliases
                                + "\ntable m file:/nonexistent/x\n"
                                + "accept from source <n> for local alias <a> deliver to mbox\n"
                                + "accept sender <m> for any relay\n");
        Config config = loader(false).load(top).parsed().config().orElseThrow();
        assertThat(ConfigCheck.tables(config, true))
                .extracting(ConfigError::toString)
                .containsExactlyInAnyOrder(
                        top + ":4: bad entry \"nonsense\": not an address or network",
                        aliases + ":2: key without value",
                        top + ":5: cannot read table file /nonexistent/x: it does not exist");
    }
}
