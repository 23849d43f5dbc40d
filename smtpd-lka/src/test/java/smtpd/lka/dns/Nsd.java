package smtpd.lka.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/** A real authoritative name server (nsd) on a free port of loopback. */
public final class Nsd implements AutoCloseable {

    private static final Path BINARY = Path.of("/usr/sbin/nsd");

    private final Process process;
    private final InetSocketAddress address;

    private Nsd(Process process, InetSocketAddress address) {
        this.process = process;
        this.address = address;
    }

    public static boolean isInstalled() {
        return Files.isExecutable(BINARY);
    }

    /**
     * Starts and waits until it answers.
     *
     * @param zones zone name to the text behind its SOA and NS
     */
    public static Nsd start(Path folder, Map<String, String> zones) throws IOException {
        int port = freePort();
        StringBuilder config =
                new StringBuilder(
                        """
                        server:
                          ip-address: 127.0.0.1@%d
                          username: ""
                          zonesdir: "%s"
                          database: ""
                          pidfile: "%s/nsd.pid"
                          xfrdfile: "%s/xfrd"
                          zonelistfile: "%s/zones"
                          server-count: 1
                        remote-control:
                          control-enable: no
                        """
                                .formatted(port, folder, folder, folder, folder));
        for (Map.Entry<String, String> zone : zones.entrySet()) {
            Path file = folder.resolve(zone.getKey() + "zone");
            Files.writeString(
                    file,
                    """
                    $ORIGIN %s
                    $TTL 300
                    @ IN SOA ns.invalid. admin.invalid. 1 3600 600 86400 60
                    @ IN NS ns.invalid.
                    %s
                    """
                            .formatted(zone.getKey(), zone.getValue()));
            config.append("zone:\n  name: \"").append(zone.getKey()).append("\"\n  zonefile: \"");
            config.append(file).append("\"\n");
        }
        Path file = folder.resolve("nsd.conf");
        Files.writeString(file, config);
        Process process =
                new ProcessBuilder(BINARY.toString(), "-d", "-c", file.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("nsd.log").toFile())
                        .start();
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        Nsd started = new Nsd(process, address);
        try {
            started.awaitAnswer(zones.keySet().iterator().next());
        } catch (RuntimeException e) {
            started.close();
            throw e;
        }
        return started;
    }

    private void awaitAnswer(String zone) {
        SimpleResolver client = new SimpleResolver(address);
        client.setTimeout(Duration.ofMillis(500));
        await().atMost(Duration.ofSeconds(20))
                .ignoreExceptions()
                .until(
                        () -> {
                            Record question =
                                    Record.newRecord(Name.fromString(zone), Type.SOA, DClass.IN);
                            Message reply = client.send(Message.newQuery(question));
                            return reply.getRcode() == 0;
                        });
        assertThat(process.isAlive()).isTrue();
    }

    public InetSocketAddress address() {
        return address;
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }

    /** Below those the kernel gives to outgoing connections: nobody is given it meanwhile. */
    private static int freePort() throws IOException {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (BindException taken) {
                // The next one, then.
            }
        }
    }
}
