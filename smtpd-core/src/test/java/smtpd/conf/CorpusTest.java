package smtpd.conf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Configurations beside what must come out: for a good one its canonical form ({@code .model}), for
 * a bad one every message ({@code .errors}).
 */
final class CorpusTest {

    @TestFactory
    List<DynamicTest> goodConfigurationsHaveThisModel() throws Exception {
        return tests("good", ".model", CorpusTest::model);
    }

    @TestFactory
    List<DynamicTest> badConfigurationsHaveTheseMessages() throws Exception {
        return tests("bad", ".errors", CorpusTest::messages);
    }

    private static String model(ConfigParser.Parsed parsed) {
        String errors =
                String.join(
                        "\n",
                        parsed.problems().stream()
                                .filter(ConfigError::isError)
                                .map(ConfigError::toString)
                                .toList());
        return errors.isEmpty() ? ConfigPrinter.print(parsed.config().orElseThrow()) : errors;
    }

    private static String messages(ConfigParser.Parsed parsed) {
        StringBuilder text = new StringBuilder();
        parsed.problems().forEach(problem -> text.append(problem).append('\n'));
        return text.toString();
    }

    private interface Shown {
        String of(ConfigParser.Parsed parsed);
    }

    private static List<DynamicTest> tests(String folder, String suffix, Shown shown)
            throws IOException, URISyntaxException {
        URL url = CorpusTest.class.getResource(folder);
        assertThat(url).as(folder).isNotNull();
        try (Stream<Path> files = Files.list(Path.of(url.toURI()))) {
            return files.filter(file -> file.toString().endsWith(".conf"))
                    .sorted()
                    .map(
                            file ->
                                    DynamicTest.dynamicTest(
                                            file.getFileName().toString(),
                                            () -> check(file, suffix, shown)))
                    .toList();
        }
    }

    private static void check(Path file, String suffix, Shown shown) throws IOException {
        String name = file.getFileName().toString();
        ConfigParser.Parsed parsed =
                ConfigParser.read(
                        ConfigBundle.ofText(
                                1,
                                Instance.at(Path.of("/tmp/x")),
                                "mx.example.org",
                                name,
                                Files.readString(file)));
        Path expected = file.resolveSibling(name.replace(".conf", suffix));
        assertThat(shown.of(parsed)).isEqualTo(Files.readString(expected));
    }
}
