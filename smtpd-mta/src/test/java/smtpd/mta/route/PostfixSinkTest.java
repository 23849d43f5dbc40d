package smtpd.mta.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import smtpd.mta.session.Result;

/** Against a peer that is not ours: Postfix's smtp-sink, where it is installed. */
class PostfixSinkTest {

    private static final Path SINK = Path.of("/usr/sbin/smtp-sink");
    private static final int MAILS = 1_000;

    @Test
    void postfixSinkTakesAThousandMails() throws Exception {
        assumeThat(Files.isExecutable(SINK)).isTrue();
        int port = freePort();
        Process sink =
                new ProcessBuilder(SINK.toString(), "-u", "nobody", "127.0.0.1:" + port, "100")
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try (World world = new World(port)) {
            await().until(() -> accepts(port));
            world.mx("h.test", World.mx(-1, "127.0.0.1"));
            int sent = 0;
            while (sent < MAILS) {
                int waiting = sent - world.results().size();
                if (waiting < 45) {
                    world.mail(world.host("h.test"), "b" + sent + "@d.test");
                    sent++;
                }
            }
            await().atMost(Duration.ofSeconds(60)).until(() -> world.results().size() == MAILS);
            assertThat(world.count(Result.Kind.DELIVERED)).isEqualTo(MAILS);
            assertThat(world.started.size()).isLessThanOrEqualTo(20);
        } finally {
            sink.destroy();
        }
    }

    private static boolean accepts(int port) {
        try (Socket probe = new Socket()) {
            probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
            return true;
        } catch (java.io.IOException e) {
            return false;
        }
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
