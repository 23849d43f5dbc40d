package smtpd.parent;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigCheck;
import smtpd.conf.ConfigError;
import smtpd.conf.ConfigLoader;
import smtpd.conf.DefaultConfig;
import smtpd.conf.Instance;
import smtpd.conf.Macro;
import smtpd.imsg.ParentToChild.RunState;
import smtpd.imsg.Role;
import smtpd.log.Logging;
import smtpd.log.Trace;
import smtpd.proc.ChildArguments;
import smtpd.proc.Signals;
import smtpd.sys.ChildEvent;
import smtpd.sys.ExitStatus;
import smtpd.sys.Fd;
import smtpd.sys.Identity;
import smtpd.sys.Program;
import smtpd.sys.Spawner;
import smtpd.sys.User;

/** smtpd(8): the command that checks a configuration or runs the daemon. */
@Command(
        name = "smtpd",
        description = "The mail daemon.",
        sortOptions = false,
        mixinStandardHelpOptions = false)
public final class Smtpd implements Callable<Integer> {

    private static final int CONFIG_ERROR = 78;
    private static final int STDERR = 2;
    private static final long CONFIG_ID = 1;

    @Option(names = "-d", description = "Stay in the foreground and log to standard error.")
    private boolean foreground;

    @SuppressWarnings("UnusedVariable") // read by picocli: the option must be known
    @Option(names = "-F", description = "Stay in the foreground and log to syslog.")
    private boolean foregroundSyslog;

    @Option(names = "-n", description = "Check the configuration and exit.")
    private boolean checkOnly;

    @Option(names = "-v", description = "Log more.")
    private boolean verbose;

    @Option(names = "-f", paramLabel = "FILE", description = "Configuration file.")
    private Path file;

    @Option(
            names = "-r",
            paramLabel = "DIR",
            description = "A private instance: everything it keeps lies under DIR.")
    private Path root;

    @Option(names = "-D", paramLabel = "MACRO=VALUE", description = "Define a macro.")
    private List<String> macros = new ArrayList<>();

    @Option(names = "-P", paramLabel = "mda|mta|smtp", description = "Start with it paused.")
    private List<String> paused = new ArrayList<>();

    @Option(names = "-T", paramLabel = "WORD", description = "Trace from the start.")
    private List<String> traces = new ArrayList<>();

    @SuppressWarnings("UnusedVariable") // read by picocli
    @Option(names = "-h", usageHelp = true, description = "Show this help.")
    private boolean help;

    public static void main(String[] arguments) {
        int status =
                new CommandLine(new Smtpd()).setExitCodeExceptionMapper(_ -> 1).execute(arguments);
        Logging.flush();
        Runtime.getRuntime().halt(status);
    }

    @Override
    public Integer call() {
        try {
            return run();
        } catch (StartFailure e) {
            System.err.println("smtpd: " + e.getMessage());
            return e.status();
        }
    }

    private int run() throws StartFailure {
        Instance instance = instance();
        ConfigLoader.Loaded loaded = load(instance);
        Config config = check(loaded);
        if (checkOnly) {
            System.err.println("configuration OK");
            return 0;
        }
        Identities identities = Identities.current();
        if (!identities.isRoot() && !instance.isPrivate()) {
            throw new StartFailure("need root privileges, or -r DIR for a private instance");
        }
        boolean toStderr = foreground;
        if (toStderr) {
            Logging.toStderr(verbose);
        } else {
            Logging.toSyslog("smtpd", verbose);
        }
        RunState runState = runState();
        Spool spool = Spool.prepare(instance, identities);
        BoundSockets sockets = BoundSockets.bind(config);
        int status =
                supervise(
                        instance, identities, loaded.bundle(), config, sockets, runState, toStderr);
        for (Path left : List.of(instance.socket(), instance.submission(), instance.pidFile())) {
            try {
                Files.deleteIfExists(left);
            } catch (IOException e) {
                System.err.println("smtpd: " + left + ": " + e.getMessage());
            }
        }
        Fd.closeQuietly(spool.lock());
        return status;
    }

    private Instance instance() throws StartFailure {
        String fromEnvironment = System.getenv("SMTPD_ROOT");
        Path dir =
                root != null
                        ? root
                        : fromEnvironment == null || fromEnvironment.isEmpty()
                                ? null
                                : Path.of(fromEnvironment);
        if (dir == null) {
            return Instance.system();
        }
        try {
            return Instance.at(dir);
        } catch (IllegalArgumentException e) {
            throw new StartFailure(e.getMessage());
        }
    }

    /** Reads, parses and checks; problems go to the terminal, one a line. */
    private ConfigLoader.Loaded load(Instance instance) throws StartFailure {
        List<Macro> defined = new ArrayList<>();
        for (String definition : macros) {
            Macro.split(definition)
                    .ifPresentOrElse(
                            defined::add,
                            () ->
                                    System.err.println(
                                            "smtpd: -D " + definition + ": not MACRO=VALUE"));
        }
        boolean isRoot = Identity.euid() == 0;
        ConfigLoader loader =
                new ConfigLoader(
                        CONFIG_ID, instance, serverName(instance), defined, isRoot && !checkOnly);
        Path source = file == null ? instance.configFile() : file;
        try {
            if (file == null && instance.isPrivate() && Files.notExists(source)) {
                return loader.loadText("(built-in)", DefaultConfig.text(instance));
            }
            return loader.load(source);
        } catch (IOException e) {
            throw new StartFailure(source + ": " + e.getMessage(), CONFIG_ERROR);
        }
    }

    private static Config check(ConfigLoader.Loaded loaded) throws StartFailure {
        List<ConfigError> problems = new ArrayList<>(loaded.parsed().problems());
        loaded.parsed()
                .config()
                .ifPresent(
                        c -> {
                            problems.addAll(ConfigCheck.tables(c, Identity.euid() == 0));
                            problems.addAll(new ListenAddresses(Path.of("/")).problems(c));
                        });
        problems.forEach(System.err::println);
        if (loaded.parsed().config().isEmpty()
                || problems.stream().anyMatch(ConfigError::isError)) {
            throw new StartFailure("the configuration has errors", CONFIG_ERROR);
        }
        return loaded.parsed().config().get();
    }

    private static String serverName(Instance instance) throws StartFailure {
        String name = "localhost";
        String canonical = "";
        try {
            InetAddress self = InetAddress.getLocalHost();
            name = self.getHostName();
            if (name.indexOf('.') < 0) {
                canonical = self.getCanonicalHostName();
            }
        } catch (UnknownHostException e) {
            // A host without an entry for itself: the mailname file must say it.
        }
        return ConfigLoader.serverName(instance, name, canonical)
                .orElseThrow(
                        () ->
                                new StartFailure(
                                        "this host has no full name; write one, such as"
                                                + " mail.example.org, into "
                                                + instance.mailname()));
    }

    private RunState runState() throws StartFailure {
        for (String word : paused) {
            if (!List.of("mda", "mta", "smtp").contains(word)) {
                throw new StartFailure("-P " + word + ": one of mda, mta, smtp");
            }
        }
        long mask = 0;
        for (String word : traces) {
            OptionalInt bits = Trace.mask(word);
            if (bits.isEmpty()) {
                System.err.println("smtpd: -T " + word + ": no such subsystem");
            } else {
                mask |= bits.getAsInt();
            }
        }
        return new RunState(
                paused.contains("smtp"),
                paused.contains("mta"),
                paused.contains("mda"),
                mask,
                0,
                verbose);
    }

    // ---- life

    private static int supervise(
            Instance instance,
            Identities identities,
            ConfigBundle bundle,
            Config config,
            BoundSockets sockets,
            RunState runState,
            boolean toStderr) {
        Logger log = LoggerFactory.getLogger(Smtpd.class);
        EventLoop loop =
                new MultiThreadIoEventLoopGroup(
                                1,
                                new DefaultThreadFactory("parent", true),
                                EpollIoHandler.newFactory())
                        .next();
        CompletableFuture<Integer> ended = new CompletableFuture<>();
        Installation installation = Installation.current();
        Confinement confinement = new Confinement(installation, config);
        ParentProcess[] parent = new ParentProcess[1];
        Spawner spawner = new Spawner(event -> loop.execute(() -> tell(parent[0], event)));
        parent[0] =
                new ParentProcess(
                        loop,
                        config,
                        bundle.encode(),
                        sockets,
                        runState,
                        (role, generation, frames, descriptors) ->
                                spawner.spawn(
                                        new Spawned(role, generation, frames, descriptors),
                                        program(
                                                installation,
                                                identities,
                                                role,
                                                generation,
                                                frames,
                                                descriptors,
                                                toStderr,
                                                runState.verbose()),
                                        confinement.of(role)),
                        new ForwardOpener(loop),
                        () -> ready(instance, log),
                        ended::complete);
        AtomicBoolean asked = new AtomicBoolean();
        for (String signal : List.of("TERM", "INT")) {
            Signals.on(
                    signal,
                    name ->
                            loop.execute(
                                    () -> {
                                        if (asked.compareAndSet(false, true)) {
                                            parent[0].stop(0, "signal " + name);
                                        } else {
                                            parent[0].stopNow();
                                        }
                                    }));
        }
        Signals.on(
                "HUP",
                _ ->
                        log.warn(
                                "event=reload result=refused reason=\"this release takes a new"
                                        + " configuration by a restart\""));
        loop.execute(parent[0]::start);
        return ended.join();
    }

    /** Names an incarnation in the events of the spawner. */
    private record Spawned(Role role, int generation, int frames, int descriptors) {

        void closeDescriptors() {
            Fd.closeQuietly(frames);
            Fd.closeQuietly(descriptors);
        }

        @Override
        public String toString() {
            return role.title();
        }
    }

    private static void tell(ParentProcess parent, ChildEvent event) {
        Spawned child = (Spawned) event.child();
        switch (event) {
            case ChildEvent.Started started -> {
                child.closeDescriptors();
                started.missing().forEach(m -> parent.missing(child.role(), m));
                parent.started(child.role(), child.generation(), started.pid());
            }
            case ChildEvent.Exited exited ->
                    parent.exited(child.role(), child.generation(), exited.pid(), exited.status());
            case ChildEvent.NotStarted not -> {
                child.closeDescriptors();
                LoggerFactory.getLogger(Smtpd.class)
                        .error(
                                "event=spawn-failed process={} reason=\"{}\"",
                                child.role().title(),
                                not.cause().getMessage());
                parent.exited(
                        child.role(), child.generation(), -1, new ExitStatus(Identity.SIGKILL));
            }
        }
    }

    private static Program program(
            Installation installation,
            Identities identities,
            Role role,
            int generation,
            int frames,
            int descriptors,
            boolean toStderr,
            boolean verbose) {
        User becomes = identities.of(role);
        ChildArguments arguments =
                new ChildArguments(
                        role,
                        generation,
                        Identity.pid(),
                        becomes == null ? -1 : becomes.uid(),
                        becomes == null ? -1 : becomes.gid(),
                        identities.isRoot() ? identities.queue().uid() : -1,
                        identities.isRoot() ? identities.queue().gid() : -1,
                        toStderr,
                        verbose);
        List<String> argv = new ArrayList<>();
        argv.add("smtpd:" + role.title());
        argv.addAll(installation.command(role, arguments.toList()));
        return new Program(
                installation.java().toString(),
                argv,
                Installation.environment(),
                "/",
                List.of(Program.NULL, STDERR, STDERR, frames, descriptors),
                false);
    }

    private static void ready(Instance instance, Logger log) {
        try {
            Files.writeString(instance.pidFile(), Identity.pid() + "\n", StandardCharsets.US_ASCII);
        } catch (IOException e) {
            log.error(
                    "event=no-pid-file path={} reason=\"{}\"", instance.pidFile(), e.getMessage());
        }
        ServiceManager.ready();
    }
}
