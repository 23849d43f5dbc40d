package smtpd.conf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import smtpd.table.TableFile;
import smtpd.table.TableRef;
import smtpd.table.TableSpec;

/**
 * The checks that need the system, beyond the text: table files, each against everything it is used
 * for. Run by {@code smtpd -n} and before a daemon starts.
 */
public final class ConfigCheck {

    private ConfigCheck() {}

    /**
     * Reads every table file once.
     *
     * @param mayRead false: files that cannot be read are warnings, since the daemon may have
     *     rights that whoever checks has not
     */
    public static List<ConfigError> tables(Config config, boolean mayRead) {
        Problems problems = new Problems();
        Map<TableRef, TableFile> contents = new HashMap<>();
        for (TableUse use : TableUse.of(config)) {
            if (config.tables().get(use.table()) instanceof TableSpec.File spec) {
                if (!contents.containsKey(use.table())) {
                    contents.put(use.table(), read(spec, use, mayRead, problems));
                }
                TableFile content = contents.get(use.table());
                if (content != null && !content.hasErrors()) {
                    for (String complaint :
                            EntryCheck.complaints(
                                    use.table(),
                                    content.kind(),
                                    content.entries(),
                                    use.service(),
                                    use.option())) {
                        problems.error(use.at(), complaint);
                    }
                }
            }
        }
        return new ArrayList<>(problems.all());
    }

    /** Null when it cannot be read, which is told. */
    private static TableFile read(
            TableSpec.File spec, TableUse use, boolean mayRead, Problems problems) {
        try {
            Path path = Path.of(spec.path());
            if (Files.size(path) > TableFile.MAX_BYTES) {
                throw new IOException("larger than " + TableFile.MAX_BYTES + " bytes");
            }
            TableFile content = TableFile.parse(Files.readAllBytes(path));
            for (TableFile.Problem problem : content.problems()) {
                Position at = new Position(spec.path(), problem.line(), 1);
                if (problem.isError()) {
                    problems.error(at, problem.message());
                } else {
                    problems.warn(at, problem.message());
                }
            }
            return content;
        } catch (IOException e) {
            String reason = e instanceof NoSuchFileException ? "it does not exist" : e.getMessage();
            String message = "cannot read table file " + spec.path() + ": " + reason;
            if (mayRead || e instanceof NoSuchFileException) {
                problems.error(use.at(), message);
            } else {
                problems.warn(use.at(), message);
            }
            return null;
        }
    }
}
