package smtpd.proc;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.function.IntConsumer;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.imsg.Role;

/**
 * A child inside this JVM, unconfined, on an event loop of its own: only for the run that fills the
 * class cache, which must see the classes of all processes at once.
 */
public final class HostedChild {

    private HostedChild() {}

    /**
     * Starts it.
     *
     * @param mainClass the process's class, which has a public constructor from a context
     * @param end called when it has ended
     */
    public static void start(
            Role role,
            String mainClass,
            int generation,
            int frames,
            int descriptors,
            IntConsumer end)
            throws ReflectiveOperationException {
        EventLoop loop =
                new MultiThreadIoEventLoopGroup(
                                1,
                                new DefaultThreadFactory(role.title(), true),
                                EpollIoHandler.newFactory())
                        .next();
        ChildContext context =
                new ChildContext(
                        generation,
                        loop,
                        frames,
                        descriptors,
                        -1,
                        -1,
                        bytes -> ConfigParser.parse(ConfigBundle.decode(ByteBuffer.wrap(bytes))),
                        end);
        Constructor<?> made = Class.forName(mainClass).getConstructor(ChildContext.class);
        ((ChildProcess<?>) made.newInstance(context)).begin();
    }
}
