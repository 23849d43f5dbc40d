package smtpd.conf;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a configuration from the disk, once, with all it includes. Runs in the parent, which hands
 * the bytes around, so that no process can see another text.
 */
public final class ConfigLoader {

    /** The read bytes, and what parsing them gave. */
    public record Loaded(ConfigBundle bundle, ConfigParser.Parsed parsed) {}

    private final long configId;
    private final Instance instance;
    private final String serverName;
    private final List<Macro> macros;
    private final boolean refuseWritable;
    private final List<SourceFile> files = new ArrayList<>();
    private long bytes;

    /**
     * @param refuseWritable refuse files that group or others may write; for a daemon started by
     *     root, whom they could command
     */
    public ConfigLoader(
            long configId,
            Instance instance,
            String serverName,
            List<Macro> macros,
            boolean refuseWritable) {
        this.configId = configId;
        this.instance = instance;
        this.serverName = serverName;
        this.macros = List.copyOf(macros);
        this.refuseWritable = refuseWritable;
    }

    /**
     * Reads and parses; what is wrong inside the text is in the result.
     *
     * @throws IOException when the top file cannot be read, the reason in words
     */
    public Loaded load(Path file) throws IOException {
        open(file.toString());
        ConfigParser.Parsed parsed = ConfigParser.read(bundle(), this::open);
        return new Loaded(bundle(), parsed);
    }

    /** Parses a text that is in no file. */
    public Loaded loadText(String name, String text) {
        ConfigBundle bundle =
                new ConfigBundle(
                        configId,
                        instance,
                        serverName,
                        macros,
                        List.of(
                                new SourceFile(
                                        name,
                                        text.getBytes(java.nio.charset.StandardCharsets.UTF_8))));
        return new Loaded(bundle, ConfigParser.read(bundle));
    }

    private ConfigBundle bundle() {
        return new ConfigBundle(configId, instance, serverName, macros, files);
    }

    /** Each file is read once, however often it is included. */
    private SourceFile open(String name) throws IOException {
        for (SourceFile known : files) {
            if (known.name().equals(name)) {
                return known;
            }
        }
        SourceFile file = new SourceFile(name, read(Path.of(name)));
        files.add(file);
        return file;
    }

    private byte[] read(Path path) throws IOException {
        try {
            if (!Files.isRegularFile(path) && Files.exists(path)) {
                throw new IOException("it is not a regular file");
            }
            checkWritable(path);
            bytes += Files.size(path);
            if (bytes > ConfigBundle.MAX_BYTES) {
                throw new IOException(
                        "the configuration is larger than " + ConfigBundle.MAX_BYTES + " bytes");
            }
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new IOException("it does not exist", e);
        } catch (AccessDeniedException e) {
            throw new IOException("permission denied", e);
        }
    }

    private void checkWritable(Path path) throws IOException {
        if (refuseWritable) {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(path);
            if (mode.contains(PosixFilePermission.GROUP_WRITE)
                    || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw new IOException("group or others may write it");
            }
        }
    }

    /**
     * The server's name: the first line of the mailname file, else the host name.
     *
     * @param hostName name of the host as the system says it
     * @param canonicalName its name in the DNS; may be empty
     * @return absent when a system-wide instance has no name with a dot
     */
    public static Optional<String> serverName(
            Instance instance, String hostName, String canonicalName) {
        try {
            String first =
                    Files.readString(instance.mailname(), java.nio.charset.StandardCharsets.UTF_8)
                            .lines()
                            .findFirst()
                            .orElse("")
                            .strip();
            if (HostName.isValid(first)) {
                return Optional.of(first);
            }
        } catch (IOException absent) {
            // No such file is the usual case: the host's own name counts.
        }
        if (hostName.indexOf('.') > 0 && HostName.isValid(hostName)) {
            return Optional.of(hostName);
        }
        if (instance.isPrivate()) {
            return Optional.of(HostName.isValid(hostName) ? hostName : "localhost");
        }
        return canonicalName.indexOf('.') > 0 && HostName.isValid(canonicalName)
                ? Optional.of(canonicalName)
                : Optional.empty();
    }
}
