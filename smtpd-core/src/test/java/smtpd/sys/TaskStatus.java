package smtpd.sys;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The status of the threads of a process, proc(5). */
final class TaskStatus {
    private TaskStatus() {}

    /** One map per thread: {@code Uid} gives {@code "0 0 0 0"}. */
    static List<Map<String, String>> of(long pid) {
        List<Map<String, String>> all = new ArrayList<>();
        try (DirectoryStream<Path> tasks =
                Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (Path task : tasks) {
                try {
                    all.add(parse(Files.readString(task.resolve("status"))));
                } catch (IOException e) {
                    // A thread may end between the listing and the read.
                    if (!(e instanceof NoSuchFileException)
                            && !String.valueOf(e.getMessage()).contains("No such process")) {
                        throw e;
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    static Map<String, String> parse(String text) {
        Map<String, String> fields = new HashMap<>();
        for (String line : text.lines().toList()) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(
                        line.substring(0, colon),
                        line.substring(colon + 1).strip().replace('\t', ' '));
            }
        }
        return fields;
    }
}
