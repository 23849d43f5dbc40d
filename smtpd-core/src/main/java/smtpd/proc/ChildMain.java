package smtpd.proc;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.nio.ByteBuffer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.log.Logging;
import smtpd.sys.Identity;
import smtpd.sys.SysException;

/**
 * The first lines of every child: it becomes its account before it reads any input, dies with its
 * parent, gives up what it needed to get this far, and hands over to its event loop.
 */
public final class ChildMain {

    /** Where the spawner puts the sockets. */
    static final int FRAMES_FD = 3;

    static final int DESCRIPTORS_FD = 4;

    private static final long STOP_MILLIS = 30_000;

    private ChildMain() {}

    /**
     * Runs a child to its end; does not return.
     *
     * @param arguments as {@link ChildArguments} writes them
     */
    public static void run(String[] arguments, Function<ChildContext, ChildProcess<?>> factory) {
        ChildArguments given = ChildArguments.parse(arguments);
        becomeAccount(given);
        if (given.toStderr()) {
            Logging.toStderr(given.verbose());
        } else {
            Logging.toSyslog("smtpd", given.verbose());
        }
        Logger log = LoggerFactory.getLogger(ChildMain.class);
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, e) -> {
                    log.error(
                            "event=crash process={} thread={}",
                            given.role().title(),
                            thread.getName(),
                            e);
                    end(70);
                });
        EventLoop loop =
                new MultiThreadIoEventLoopGroup(
                                1,
                                new DefaultThreadFactory(given.role().title(), true),
                                EpollIoHandler.newFactory())
                        .next();
        // Netty asks once which families and interfaces exist; after that no socket is needed.
        NetUtil.isIpV4StackPreferred();
        SecondStage.enter(given.role())
                .ifPresent(m -> log.warn("event=unsandboxed missing=\"{}\"", m));
        ChildContext context =
                new ChildContext(
                        given.generation(),
                        loop,
                        FRAMES_FD,
                        DESCRIPTORS_FD,
                        given.serviceUid(),
                        given.serviceGid(),
                        bytes -> ConfigParser.parse(ConfigBundle.decode(ByteBuffer.wrap(bytes))),
                        ChildMain::end);
        ChildProcess<?> process = factory.apply(context);
        // TERM asks for the ordered stop, after which the parent starts it anew; INT and HUP are
        // for
        // the parent alone, though a terminal sends them to the whole group.
        Signals.on("TERM", _ -> loop.execute(() -> process.stopOnce(STOP_MILLIS)));
        Signals.on("INT", _ -> {});
        Signals.on("HUP", _ -> {});
        process.begin();
        loop.terminationFuture().awaitUninterruptibly();
    }

    private static void becomeAccount(ChildArguments given) {
        try {
            if (given.uid() > 0) {
                Identity.drop(given.uid(), given.gid());
            }
            Identity.dieWithParent(given.parentPid());
            Identity.undumpable();
            Identity.umask(077);
            Identity.name("smtpd-" + given.role().title());
        } catch (SysException e) {
            System.err.println("smtpd: " + given.role().title() + ": " + e.getMessage());
            Runtime.getRuntime().halt(71);
        }
    }

    private static void end(int status) {
        Logging.flush();
        Runtime.getRuntime().halt(status);
    }
}
