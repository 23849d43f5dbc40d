package smtpd.sys;

import java.util.List;
import java.util.function.Consumer;

/**
 * Starts children that are confined before their first instruction. Per child one fresh platform
 * thread restricts itself, which binds no other thread of this process, spawns, so that the child
 * inherits everything, and then sits in waitpid(2) for the child's life: a child's PDEATHSIG is
 * tied to the thread that spawned it.
 */
public final class Spawner {
    private final Consumer<? super ChildEvent> events;

    /**
     * @param events called on the restricted threads, so it must do nothing but leave the event
     *     where another thread finds it (a queue's {@code offer}, a running loop's {@code
     *     execute}): no continuation, no new thread, no class that was not loaded before
     */
    public Spawner(Consumer<? super ChildEvent> events) {
        this.events = events;
    }

    /**
     * Starts a child; returns at once. The caller may close its copies of the descriptors after the
     * first event.
     *
     * @param child names it in the events
     * @param sandbox null for none
     * @throws SysException when it could not even be prepared; there will be no event
     */
    public void spawn(Object child, Program program, Sandbox sandbox) throws SysException {
        loadClasses(child);
        PosixSpawn spawn = new PosixSpawn(program);
        Sandbox.Ready confinement;
        try {
            confinement = sandbox == null ? null : sandbox.prepare();
        } catch (SysException e) {
            spawn.free();
            throw e;
        }
        Thread.ofPlatform()
                .name("spawn-" + child)
                .daemon(true)
                .start(() -> run(child, spawn, confinement));
    }

    private void run(Object child, PosixSpawn spawn, Sandbox.Ready confinement) {
        int pid;
        try {
            List<String> missing = confinement == null ? List.of() : confinement.enter();
            pid = spawn.start();
            events.accept(new ChildEvent.Started(child, pid, missing));
        } catch (SysException e) {
            events.accept(new ChildEvent.NotStarted(child, e));
            return;
        } finally {
            spawn.free();
            if (confinement != null) {
                confinement.close();
            }
        }
        ExitStatus status;
        try {
            status = PosixSpawn.await(pid);
        } catch (SysException e) {
            // ECHILD: somebody else took the status. The child is gone all the same.
            status = new ExitStatus(Identity.SIGKILL);
        }
        events.accept(new ChildEvent.Exited(child, pid, status));
    }

    /** A restricted thread may not be able to read the class path any more. */
    private static void loadClasses(Object child) {
        new ChildEvent.Started(child, 0, List.of());
        new ChildEvent.Exited(child, 0, new ExitStatus(0));
        new ChildEvent.NotStarted(child, new SysException("", Errno.EPERM));
    }
}
