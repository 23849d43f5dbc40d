package smtpd.conf;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The bytes of a configuration as they cross to the children: all files, the macros of the command
 * line and the facts of this host that the text alone does not tell. Whoever parses the same bundle
 * gets the same {@link Config}.
 *
 * @param configId number of this hand-over
 * @param instance where the daemon lives
 * @param serverName the server's name
 * @param macros of the command line
 * @param files the top file first; then includes in the order of their first use
 */
public record ConfigBundle(
        long configId,
        Instance instance,
        String serverName,
        List<Macro> macros,
        List<SourceFile> files) {

    /** Largest configuration, all files together. */
    public static final int MAX_BYTES = 16 << 20;

    private static final int MAGIC = 0x736d7463; // "smtc"
    private static final int VERSION = 1;
    private static final int MAX_STRING = 8191;
    private static final int MAX_MACROS = 1024;
    private static final int MAX_FILES = 1024;

    public ConfigBundle {
        macros = List.copyOf(macros);
        files = List.copyOf(files);
        if (files.isEmpty()) {
            throw new IllegalArgumentException("a configuration has at least one file");
        }
    }

    /** A bundle of one text, for tests and built-in configurations. */
    public static ConfigBundle ofText(
            long configId, Instance instance, String serverName, String name, String text) {
        return new ConfigBundle(
                configId,
                instance,
                serverName,
                List.of(),
                List.of(new SourceFile(name, text.getBytes(StandardCharsets.UTF_8))));
    }

    /** The file messages call the configuration. */
    public String mainFile() {
        return files.getFirst().name();
    }

    /** The file of that name. */
    public Optional<SourceFile> file(String name) {
        for (SourceFile file : files) {
            if (file.name().equals(name)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    /** The form for the memfd. */
    public byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(MAGIC);
            out.writeInt(VERSION);
            out.writeLong(configId);
            out.writeByte(instance.isPrivate() ? 1 : 0);
            for (Path path : paths(instance)) {
                writeString(out, path.toString());
            }
            writeString(out, serverName);
            out.writeInt(macros.size());
            for (Macro macro : macros) {
                writeString(out, macro.name());
                writeString(out, macro.value());
            }
            out.writeInt(files.size());
            for (SourceFile file : files) {
                writeString(out, file.name());
                out.writeInt(file.content().length);
                out.write(file.content());
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    /**
     * Reads what {@link #encode} wrote, from the position of {@code bytes} to its limit.
     *
     * @throws IllegalArgumentException when the bytes are no bundle or exceed a bound
     */
    public static ConfigBundle decode(ByteBuffer bytes) {
        try {
            return read(bytes.duplicate());
        } catch (BufferUnderflowException | java.nio.file.InvalidPathException e) {
            throw new IllegalArgumentException("the configuration handed over is damaged", e);
        }
    }

    private static ConfigBundle read(ByteBuffer in) {
        if (in.getInt() != MAGIC || in.getInt() != VERSION) {
            throw new IllegalArgumentException("not a configuration of this version");
        }
        long configId = in.getLong();
        boolean isPrivate = in.get() == 1;
        Instance instance =
                new Instance(
                        isPrivate,
                        readPath(in),
                        readPath(in),
                        readPath(in),
                        readPath(in),
                        readPath(in),
                        readPath(in),
                        readPath(in),
                        readPath(in));
        String serverName = readString(in);
        int macroCount = readCount(in, MAX_MACROS);
        List<Macro> macros = new ArrayList<>(macroCount);
        for (int i = 0; i < macroCount; i++) {
            macros.add(new Macro(readString(in), readString(in)));
        }
        int fileCount = readCount(in, MAX_FILES);
        List<SourceFile> files = new ArrayList<>(fileCount);
        for (int i = 0; i < fileCount; i++) {
            files.add(new SourceFile(readString(in), readBytes(in, MAX_BYTES)));
        }
        if (in.hasRemaining()) {
            throw new IllegalArgumentException("bytes after the configuration");
        }
        return new ConfigBundle(configId, instance, serverName, macros, files);
    }

    private static List<Path> paths(Instance instance) {
        return List.of(
                instance.configFile(),
                instance.aliases(),
                instance.mailname(),
                instance.spool(),
                instance.socket(),
                instance.submission(),
                instance.pidFile(),
                instance.state());
    }

    private static void writeString(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_STRING) {
            throw new IllegalArgumentException("text longer than " + MAX_STRING + " bytes");
        }
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static Path readPath(ByteBuffer in) {
        return Path.of(readString(in));
    }

    private static String readString(ByteBuffer in) {
        return new String(readBytes(in, MAX_STRING), StandardCharsets.UTF_8);
    }

    private static byte[] readBytes(ByteBuffer in, int max) {
        int length = readCount(in, Math.min(max, in.remaining()));
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static int readCount(ByteBuffer in, int max) {
        int count = in.getInt();
        if (count < 0 || count > max) {
            throw new IllegalArgumentException("count " + count + " is beyond " + max);
        }
        return count;
    }
}
