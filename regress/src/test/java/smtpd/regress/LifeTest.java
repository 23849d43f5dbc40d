package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Start, confinement and end of the daemon. */
class LifeTest {

    private final Parts parts = new Parts();

    @AfterEach
    void end() throws Exception {
        parts.close();
    }

    private Site site() throws IOException {
        return parts.add(Site.create()).config(Site.toMaildir());
    }

    @Test
    void startedByRootEveryThreadOfAChildHasDroppedItsIdentity() throws Exception {
        assumeTrue(Machine.isRoot(), "only root has an identity to drop");
        Daemon daemon = parts.add(Daemon.start(site()));
        Map<String, Long> children = daemon.children();
        assertThat(children.keySet()).containsExactlyInAnyOrderElementsOf(Daemon.CHILDREN);
        int smtpd = uidOf("_smtpd");
        int smtpq = uidOf("_smtpq");
        children.forEach(
                (name, pid) -> {
                    Path process = Path.of("/proc/" + pid);
                    assertThat(Machine.statusLine(process, "NoNewPrivs:")).as(name).isEqualTo("1");
                    if (name.equals("mda")) {
                        return; // becomes each recipient in turn, so it keeps the means
                    }
                    int uid = name.equals("queue") ? smtpq : smtpd;
                    String all = uid + " " + uid + " " + uid + " " + uid;
                    assertThat(threadIds(pid)).as(name).isNotEmpty().containsOnly(all);
                    assertThat(Machine.statusLine(process, "CapEff:"))
                            .as(name)
                            .isEqualTo("0".repeat(16));
                });
        assertThat(daemon.stop()).isZero();
    }

    private static List<String> threadIds(long pid) {
        try {
            return Machine.uidsOfThreads(pid);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static int uidOf(String account) throws IOException, InterruptedException {
        return Integer.parseInt(Machine.run(List.of("id", "-u", account)).output().strip());
    }

    @Test
    void termEndsItInOrder() throws Exception {
        Site site = site();
        Daemon daemon = parts.add(Daemon.start(site));
        try (SmtpClient idle = daemon.connect()) {
            assertThat(idle.say("NOOP")).startsWith("250");
            Machine.kill("TERM", daemon.pid());
            assertThat(idle.reply()).startsWith("421 ");
        }
        assertThat(daemon.awaitEnd()).isZero();
        assertThat(daemon.log("event=stop reason=\"signal TERM\"")).hasSize(1);
        assertThat(daemon.log("event=lost-child")).isEmpty();
        assertThat(site.dir().resolve("smtpd.sock")).doesNotExist();
        assertThat(site.dir().resolve("smtpd.pid")).doesNotExist();
    }

    @Test
    void fiveDeathsOfOneChildEndTheDaemon() throws Exception {
        Daemon daemon = parts.add(Daemon.start(site()));
        for (int death = 1; death <= 5; death++) {
            int before = daemon.log("event=lost-child process=mfa ").size();
            Machine.await("mfa is there, or the daemon is ending")
                    .until(() -> daemon.child("mfa").isPresent() || !daemon.isAlive());
            if (daemon.child("mfa").isEmpty()) {
                break;
            }
            Machine.kill("KILL", daemon.child("mfa").orElseThrow());
            Machine.await("the death is noticed")
                    .until(() -> daemon.log("event=lost-child process=mfa ").size() > before);
        }
        assertThat(daemon.awaitEnd()).isEqualTo(1);
        assertThat(daemon.log("event=stop reason=")).hasSize(1);
    }

    @Test
    void aSecondDaemonOnTheSameSpoolIsRefused() throws Exception {
        Site site = site();
        Daemon daemon = parts.add(Daemon.start(site));
        Daemon second = parts.add(Daemon.launch(site, List.of(), "-D", "x=y"));
        assertThat(second.awaitEnd()).isEqualTo(1);
        assertThat(String.join("\n", second.log())).contains(Long.toString(daemon.pid()));
        assertThat(daemon.stop()).isZero();
    }

    @Test
    void aWrongConfigurationIsNamedByFileAndLine() throws Exception {
        Site site = parts.add(Site.create()).config("accept from any for local delivr to maildir");
        Daemon daemon = parts.add(Daemon.launch(site, List.of()));
        assertThat(daemon.awaitEnd()).isEqualTo(78);
        assertThat(String.join("\n", daemon.log())).contains("smtpd.conf:4:").contains("delivr");
    }

    @Test
    void aPrivateInstanceRunsAsAPlainUser() throws Exception {
        Site site = site();
        List<String> as = List.of();
        if (Machine.isRoot()) {
            int nobody = Machine.nobody();
            site.copyInstallation();
            site.giveAllTo(nobody);
            site.config(Site.toMaildir());
            site.giveAllTo(nobody);
            as =
                    List.of(
                            "setpriv",
                            "--reuid=" + nobody,
                            "--regid=" + nobody,
                            "--clear-groups",
                            "--");
        }
        Daemon daemon = parts.add(Daemon.launch(site, as));
        daemon.awaitStart();
        try (SmtpClient client = daemon.connect()) {
            client.deliver("ann@sender.test", "bob@mail.site.test", "plain-user");
        }
        site.maildir("bob").await("plain-user");
        long owner = (Integer) Files.getAttribute(site.spool(), "unix:uid");
        assertThat(owner).isEqualTo(Machine.isRoot() ? Machine.nobody() : Machine.uid());
        assertThat(daemon.stop()).isZero();
    }
}
