package smtpd.regress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The installed {@code smtpctl}, talking to the daemon of one site. */
final class Ctl {

    private final Site site;

    Ctl(Site site) {
        this.site = site;
    }

    /** Runs a command, whatever its status. */
    Machine.Ended run(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(site.program("smtpctl").toString());
        command.addAll(List.of("-r", site.dir().toString()));
        command.addAll(List.of(words));
        return Machine.run(command);
    }

    /** Runs a command that must succeed; its output. */
    String ok(String... words) throws IOException, InterruptedException {
        Machine.Ended ended = run(words);
        assertThat(ended.status()).as("smtpctl %s: %s", List.of(words), ended.output()).isZero();
        return ended.output();
    }

    /** The lines of {@code show queue}. */
    List<String> queue() throws IOException, InterruptedException {
        return ok("show", "queue").lines().filter(line -> !line.isBlank()).toList();
    }
}
