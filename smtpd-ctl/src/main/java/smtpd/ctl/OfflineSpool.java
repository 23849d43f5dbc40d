package smtpd.ctl;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.GZIPInputStream;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.envelope.Verdict;

/** The plain files of the spool, read while the daemon is down. */
final class OfflineSpool {

    private static final int ENCRYPTED = 1;
    private static final int PIECE = 16 << 10;

    private final Path queue;
    private final Output out;
    private final java.util.function.Consumer<String> warn;

    OfflineSpool(Path spool, Output out, java.util.function.Consumer<String> warn) {
        this.queue = spool.resolve("queue");
        this.out = out;
        this.warn = warn;
    }

    /** One envelope of the spool. */
    interface Lines {
        void line(QueueLine line);
    }

    /**
     * Every envelope, in the order of ids.
     *
     * @param only one message, or null for all
     */
    void list(Msgid only, Lines lines) {
        if (only != null) {
            message(folder(only), lines);
            return;
        }
        for (Path bucket : children(queue, 2)) {
            for (Path message : children(bucket, 8)) {
                message(message, lines);
            }
        }
    }

    private void message(Path folder, Lines lines) {
        for (Path file : children(folder, 16)) {
            byte[] text;
            try (InputStream in = open(file)) {
                text = in.readNBytes(EnvelopeText.MAX_STORED);
            } catch (NoSuchFileException e) {
                continue; // delivered meanwhile: somebody started the daemon
            } catch (IOException e) {
                warn.accept(file + ": " + reason(e));
                continue;
            }
            switch (EnvelopeText.parse(text)) {
                case Verdict.Usable usable ->
                        lines.line(
                                QueueLine.offline(
                                        Evpid.parse(file.getFileName().toString()),
                                        usable.envelope()));
                case Verdict.Torn _ -> warn.accept(file + ": torn");
                case Verdict.Corrupt c -> warn.accept(file + ": " + c.field() + ": " + c.why());
                case Verdict.Future f -> warn.accept(file + ": unknown " + f.field());
            }
        }
    }

    void envelope(Evpid id) {
        print(folder(id.msgid()).resolve(id.toString()), "no such envelope");
    }

    void message(Msgid id) {
        print(folder(id).resolve("message"), "no such message");
    }

    private Path folder(Msgid id) {
        return queue.resolve(id.bucket()).resolve(id.toString());
    }

    private void print(Path file, String absent) {
        try (InputStream in = open(file)) {
            byte[] piece = in.readNBytes(PIECE);
            while (piece.length > 0) {
                out.bytes(piece);
                piece = in.readNBytes(PIECE);
            }
        } catch (NoSuchFileException e) {
            throw new Failure(Exit.FAILED, absent);
        } catch (AccessDeniedException e) {
            throw new Failure(Exit.NOT_PERMITTED, "not permitted: this needs root");
        } catch (IOException e) {
            throw new Failure(Exit.FAILED, file + ": " + reason(e));
        }
    }

    /** Links are not followed: an account that owns the spool must not show files of root. */
    private static InputStream open(Path file) throws IOException {
        PushbackInputStream in =
                new PushbackInputStream(Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS), 2);
        try {
            byte[] magic = in.readNBytes(2);
            in.unread(magic);
            if (magic.length > 0 && magic[0] == ENCRYPTED) {
                throw new IOException("encrypted: only the running daemon can read it");
            }
            boolean isGzip = magic.length == 2 && magic[0] == 0x1f && (magic[1] & 0xff) == 0x8b;
            return isGzip ? new GZIPInputStream(in) : in;
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    private List<Path> children(Path folder, int digits) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (isHex(entry.getFileName().toString(), digits)) {
                    found.add(entry);
                }
            }
        } catch (AccessDeniedException e) {
            throw new Failure(Exit.NOT_PERMITTED, "not permitted: this needs root");
        } catch (NoSuchFileException e) {
            return found;
        } catch (IOException | DirectoryIteratorException e) {
            warn.accept(folder + ": " + e.getMessage());
        }
        Collections.sort(found);
        return found;
    }

    private static boolean isHex(String name, int digits) {
        if (name.length() != digits) {
            return false;
        }
        for (int i = 0; i < digits; i++) {
            if (Character.digit(name.charAt(i), 16) < 0) {
                return false;
            }
        }
        return true;
    }

    private static String reason(IOException e) {
        return e instanceof AccessDeniedException
                ? "permission denied"
                : String.valueOf(e.getMessage());
    }
}
