package smtpd.parent;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import smtpd.conf.Action;
import smtpd.conf.Config;
import smtpd.conf.Route;
import smtpd.table.TableSpec;

/** Files and ports that a configuration names: they widen what lka and mta may touch. */
final class NamedFiles {

    private NamedFiles() {}

    /** Files of tables. */
    static List<Path> tables(Config config) {
        List<Path> paths = new ArrayList<>();
        for (TableSpec table : config.tables().values()) {
            if (table instanceof TableSpec.File file) {
                paths.add(Path.of(file.path()));
            }
        }
        return paths;
    }

    /** Ports of relay hosts. Those of relay tables are not known here: they use the usual ones. */
    static List<Integer> relayPorts(Config config) {
        List<Integer> ports = new ArrayList<>();
        for (Action action : config.actions().values()) {
            if (action instanceof Action.Remote remote
                    && remote.route() instanceof Route.Host host) {
                ports.add(host.url().port());
            }
        }
        return ports;
    }
}
