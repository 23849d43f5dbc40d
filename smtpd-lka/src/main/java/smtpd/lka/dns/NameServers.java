package smtpd.lka.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import smtpd.imsg.SocketAddr;
import smtpd.table.Netaddr;

/**
 * The servers to ask, best first: those of the configuration, or those of {@code resolv.conf},
 * which is looked at again when it changed. Belongs to the event loop; the file is read elsewhere.
 */
public final class NameServers {

    private static final int MAX_SERVERS = 8;
    private static final int PORT = 53;
    private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long MAX_FILE = 64 * 1024;

    private final Path file;
    private final Executor disk;
    private final Executor loop;
    private final LongSupplier nanoTime;
    private List<InetSocketAddress> addresses;
    private FileTime readVersion = FileTime.fromMillis(0);
    private long nextCheckNanos;
    private boolean checking;

    private NameServers(
            List<InetSocketAddress> addresses,
            Path file,
            Executor disk,
            Executor loop,
            LongSupplier nanoTime) {
        this.addresses = addresses;
        this.file = file;
        this.disk = disk;
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.nextCheckNanos = nanoTime.getAsLong();
    }

    /** These and no others. */
    public static NameServers fixed(List<InetSocketAddress> addresses) {
        return new NameServers(
                List.copyOf(addresses), null, Runnable::run, Runnable::run, System::nanoTime);
    }

    /**
     * Those of a file in the form of resolv.conf(5).
     *
     * @param disk reads the file
     * @param loop takes the result
     */
    public static NameServers ofFile(
            Path file, Executor disk, Executor loop, LongSupplier nanoTime) {
        NameServers servers = new NameServers(parse(""), file, disk, loop, nanoTime);
        servers.check();
        return servers;
    }

    /** Never empty. */
    List<InetSocketAddress> current() {
        if (file != null && !checking && nanoTime.getAsLong() - nextCheckNanos >= 0) {
            check();
        }
        return addresses;
    }

    private void check() {
        checking = true;
        FileTime seen = readVersion;
        disk.execute(
                () -> {
                    FileTime version = seen;
                    List<InetSocketAddress> read = null;
                    try {
                        version = Files.getLastModifiedTime(file);
                        if (!version.equals(seen) && Files.size(file) <= MAX_FILE) {
                            read =
                                    parse(
                                            new String(
                                                    Files.readAllBytes(file),
                                                    StandardCharsets.ISO_8859_1));
                        }
                    } catch (IOException e) {
                        // The servers in force stay: a resolv.conf in the middle of an exchange is
                        // no reason to stop resolving.
                    }
                    FileTime newVersion = version;
                    List<InetSocketAddress> newList = read;
                    loop.execute(() -> taken(newVersion, newList));
                });
    }

    private void taken(FileTime version, List<InetSocketAddress> list) {
        checking = false;
        nextCheckNanos = nanoTime.getAsLong() + CHECK_NANOS;
        readVersion = version;
        if (list != null) {
            addresses = list;
        }
    }

    /** resolv.conf(5): without a server line, the one on this host. */
    static List<InetSocketAddress> parse(String text) {
        List<InetSocketAddress> found = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            String[] words = line.strip().split("\\s+", 3);
            if (words.length >= 2 && words[0].equals("nameserver") && found.size() < MAX_SERVERS) {
                Netaddr.parseAddress(words[1])
                        .ifPresent(
                                address ->
                                        found.add(
                                                new SocketAddr(address.toBytes(), PORT, 0)
                                                        .toInetSocketAddress()));
            }
        }
        return found.isEmpty()
                ? List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT))
                : List.copyOf(found);
    }
}
