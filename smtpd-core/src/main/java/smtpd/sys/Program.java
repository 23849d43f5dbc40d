package smtpd.sys;

import java.util.List;

/**
 * A program to start. Nothing is inherited but what stands here: the environment is exactly {@code
 * environment}, the descriptors exactly {@code fds}, signals have their defaults and are unblocked.
 *
 * @param path absolute path of the executable
 * @param arguments from {@code argv[0]} on
 * @param environment {@code NAME=value} each
 * @param folder working directory, null for ours
 * @param fds descriptor number i of the child is our {@code fds.get(i)}; {@link #NULL} opens
 *     /dev/null
 * @param isSession a new session, so that the process leads a group that can be killed as a whole
 */
public record Program(
        String path,
        List<String> arguments,
        List<String> environment,
        String folder,
        List<Integer> fds,
        boolean isSession) {

    /** In place of a descriptor: /dev/null. */
    public static final int NULL = -1;

    public Program {
        arguments = List.copyOf(arguments);
        environment = List.copyOf(environment);
        fds = List.copyOf(fds);
        if (fds.size() < 3) {
            throw new IllegalArgumentException("a program needs descriptors 0, 1 and 2");
        }
    }
}
