package smtpd.regress;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Reads a mailbox in Maildir form. */
final class Maildir {

    private final Path dir;

    Maildir(Path dir) {
        this.dir = dir;
    }

    Path dir() {
        return dir;
    }

    /** The delivered files. */
    List<Path> files() throws IOException {
        try (Stream<Path> all = Files.list(dir.resolve("new"))) {
            return all.sorted().toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /** The delivered mails as Latin-1 text, byte by byte. */
    List<String> mails() throws IOException {
        List<String> mails = new ArrayList<>();
        for (Path file : files()) {
            mails.add(Files.readString(file, StandardCharsets.ISO_8859_1));
        }
        return mails;
    }

    /** Waits for the mail with that subject. */
    String await(String subject) {
        List<String> found = new ArrayList<>();
        Machine.await("mail " + subject + " in " + dir)
                .until(
                        () -> {
                            for (String mail : mails()) {
                                if (mail.contains("\nSubject: " + subject + "\n")) {
                                    found.add(mail);
                                }
                            }
                            return !found.isEmpty();
                        });
        return found.getFirst();
    }

    /** The value of each mail's Subject. */
    List<String> subjects() throws IOException {
        List<String> subjects = new ArrayList<>();
        for (Path file : files()) {
            try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
                lines.takeWhile(line -> !line.isEmpty())
                        .filter(line -> line.startsWith("Subject: "))
                        .findFirst()
                        .ifPresent(line -> subjects.add(line.substring("Subject: ".length())));
            }
        }
        return subjects;
    }
}
