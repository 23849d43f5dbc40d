package smtpd.sys;

import java.util.List;

/** What a {@link Spawner} reports about one child. */
public sealed interface ChildEvent {

    /** Names the child: given to {@link Spawner#spawn}. */
    Object child();

    /**
     * It runs.
     *
     * @param missing what the kernel could not promise of its sandbox
     */
    record Started(Object child, int pid, List<String> missing) implements ChildEvent {}

    /** It ended; the last event of this child. */
    record Exited(Object child, int pid, ExitStatus status) implements ChildEvent {}

    /** It could not be started; the only event of this child. */
    record NotStarted(Object child, SysException cause) implements ChildEvent {}
}
