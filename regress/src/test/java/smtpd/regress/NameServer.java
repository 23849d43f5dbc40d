package smtpd.regress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real name server, nsd, that serves one zone on loopback. */
final class NameServer implements AutoCloseable {

    private final Process process;
    private final int port;

    private NameServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Serves the zone {@code net.test} with these records and returns when it answers. */
    static NameServer serve(Path dir, String... records) throws IOException {
        int port = Ports.free();
        Path zone = dir.resolve("net.test.zone");
        Files.writeString(
                zone,
                "$ORIGIN net.test.\n$TTL 60\n"
                        + "@ IN SOA ns.net.test. root.net.test. 1 60 60 60 60\n"
                        + "@ IN NS ns.net.test.\n"
                        + "ns IN A 127.0.0.1\n"
                        + String.join("\n", records)
                        + "\n");
        Path config =
                Files.write(
                        dir.resolve("nsd.conf"),
                        List.of(
                                "server:",
                                " ip-address: 127.0.0.1@" + port,
                                " username: \"\"",
                                " database: \"\"",
                                " server-count: 1",
                                " zonesdir: \"" + dir + "\"",
                                " pidfile: \"" + dir.resolve("nsd.pid") + "\"",
                                " xfrdfile: \"" + dir.resolve("xfrd.state") + "\"",
                                " zonelistfile: \"" + dir.resolve("zone.list") + "\"",
                                "remote-control:",
                                " control-enable: no",
                                "zone:",
                                " name: net.test",
                                " zonefile: " + zone));
        Process process =
                new ProcessBuilder("/usr/sbin/nsd", "-d", "-c", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(dir.resolve("nsd.log").toFile())
                        .start();
        NameServer server = new NameServer(process, port);
        Machine.await("nsd answers")
                .until(
                        () -> {
                            if (!process.isAlive()) {
                                throw new AssertionError(Files.readString(dir.resolve("nsd.log")));
                            }
                            return Files.readString(dir.resolve("nsd.log")).contains("nsd started");
                        });
        return server;
    }

    /** Its address as the {@code resolver} statement wants it. */
    String address() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void close() {
        List<ProcessHandle> own = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        own.forEach(ProcessHandle::destroyForcibly);
    }
}
