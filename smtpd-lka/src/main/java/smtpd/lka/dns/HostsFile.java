package smtpd.lka.dns;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import smtpd.table.Netaddr;

/**
 * Names and addresses of {@code /etc/hosts}, looked at again when it changed. Serves hosts and
 * reverse names, never mail exchangers.
 */
public final class HostsFile {

    private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long MAX_FILE = 1024 * 1024;

    private final Path file;
    private final Executor disk;
    private final Executor loop;
    private final LongSupplier nanoTime;
    private FileTime readVersion = FileTime.fromMillis(0);
    private Map<String, List<Netaddr>> byName = Map.of();
    private Map<Netaddr, String> byAddress = Map.of();
    private long nextCheckNanos;
    private boolean checking;

    public HostsFile(Path file, Executor disk, Executor loop, LongSupplier nanoTime) {
        this.file = file;
        this.disk = disk;
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.nextCheckNanos = nanoTime.getAsLong();
        check();
    }

    /** Addresses of a name in the order of the file; empty when it is not there. */
    List<Netaddr> addresses(String name) {
        refresh();
        return byName.getOrDefault(name, List.of());
    }

    /** First name of an address; null when it is not there. */
    String name(Netaddr address) {
        refresh();
        return byAddress.get(address);
    }

    private void refresh() {
        if (!checking && nanoTime.getAsLong() - nextCheckNanos >= 0) {
            check();
        }
    }

    private void check() {
        checking = true;
        FileTime seen = readVersion;
        disk.execute(
                () -> {
                    FileTime version = seen;
                    String text = null;
                    try {
                        version = Files.getLastModifiedTime(file);
                        if (!version.equals(seen) && Files.size(file) <= MAX_FILE) {
                            text =
                                    new String(
                                            Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                        }
                    } catch (IOException e) {
                        // What was read before stays in force.
                    }
                    FileTime newVersion = version;
                    String newText = text;
                    loop.execute(() -> taken(newVersion, newText));
                });
    }

    private void taken(FileTime version, String text) {
        checking = false;
        nextCheckNanos = nanoTime.getAsLong() + CHECK_NANOS;
        readVersion = version;
        if (text != null) {
            parse(text);
        }
    }

    private void parse(String text) {
        Map<String, List<Netaddr>> names = new HashMap<>();
        Map<Netaddr, String> addresses = new HashMap<>();
        for (String line : text.split("\n", -1)) {
            int hash = line.indexOf('#');
            String[] words = (hash < 0 ? line : line.substring(0, hash)).strip().split("\\s+", -1);
            if (words.length < 2) {
                continue;
            }
            Netaddr address = Netaddr.parseAddress(words[0]).orElse(null);
            for (int i = 1; address != null && i < words.length; i++) {
                String name = words[i].toLowerCase(Locale.ROOT);
                if (DomainName.isHostName(name)) {
                    names.computeIfAbsent(name, key -> new ArrayList<>(1)).add(address);
                    addresses.putIfAbsent(address, name);
                }
            }
        }
        byName = names;
        byAddress = addresses;
    }
}
