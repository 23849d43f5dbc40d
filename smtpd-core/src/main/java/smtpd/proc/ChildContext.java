package smtpd.proc;

import io.netty.channel.EventLoop;
import smtpd.conf.Config;
import smtpd.conf.ConfigException;

/**
 * What a process is given at birth.
 *
 * @param generation incarnation of this process, +1 at each spawn
 * @param loop the event loop that owns all of its state
 * @param parentFrames socket of frames with the parent
 * @param parentDescriptors socket of descriptors from the parent
 * @param serviceUid unprivileged account that delivery threads keep as real and saved id; -1 when
 *     the daemon was started by a plain user
 * @param serviceGid its group
 * @param configReader makes the model from the bytes that crossed
 * @param end what ends this process; the exit status is its argument
 */
public record ChildContext(
        int generation,
        EventLoop loop,
        int parentFrames,
        int parentDescriptors,
        int serviceUid,
        int serviceGid,
        ConfigReader configReader,
        java.util.function.IntConsumer end) {

    /** From the bytes of a sealed memfd to the model. */
    @FunctionalInterface
    public interface ConfigReader {
        Config read(byte[] bundle) throws ConfigException;
    }
}
