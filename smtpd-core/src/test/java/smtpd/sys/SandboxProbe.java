package smtpd.sys;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** Runs confined and reports on descriptor 3, one {@code what=result} a line. */
public final class SandboxProbe {
    private SandboxProbe() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("parent")) {
            parent(arguments[1]);
        } else if (arguments[0].equals("orphan")) {
            Identity.dieWithParent(Integer.parseInt(arguments[1]));
            say("orphan", "ready");
            Thread.currentThread().join();
        } else {
            confined(arguments);
        }
    }

    /** Starts a child that must not outlive us, then waits to be killed. */
    private static void parent(String classPath) throws Exception {
        var events = new LinkedBlockingQueue<ChildEvent>();
        var program =
                new Program(
                        System.getProperty("java.home") + "/bin/java",
                        SandboxTest.java(classPath, "orphan", Integer.toString(Identity.pid())),
                        List.of(),
                        null,
                        List.of(Program.NULL, Program.NULL, 2, 3),
                        false);
        new Spawner(events::add).spawn("orphan", program, null);
        say("child", ((ChildEvent.Started) events.take()).pid());
        Thread.currentThread().join();
    }

    private static void confined(String[] arguments) throws Exception {
        Path forbidden = Path.of(arguments[1]);
        Path work = Path.of(arguments[2]);
        int openPort = Integer.parseInt(arguments[3]);
        int closedPort = Integer.parseInt(arguments[4]);
        ExecutorService early = Executors.newSingleThreadExecutor();
        early.submit(() -> {}).get();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> say("hook", read(forbidden))));

        say("main", read(forbidden));
        early.submit(() -> say("pool", read(forbidden))).get();
        Thread.ofVirtual().start(() -> say("virtual", read(forbidden))).join();
        Files.createDirectories(work.resolve("a"));
        Files.createDirectories(work.resolve("b"));
        Files.writeString(work.resolve("a/file"), "x");
        Files.move(work.resolve("a/file"), work.resolve("b/file"));
        say("work", Files.readString(work.resolve("b/file")));
        say("connect-open", connect(openPort));
        say("connect-closed", connect(closedPort));
        say("unshare", Libc.syscall(Nr.UNSHARE, 0x10000000));
        say("newuser", Libc.syscall(Nr.CLONE, 0x10000000 | 17, 0, 0, 0, 0));
        say("mount", Libc.syscall(Nr.MOUNT, 0, 0, 0, 0, 0));
        say("io_uring", Libc.syscall(Nr.IO_URING_SETUP, 1, 0, 0));
        say("netlink", Libc.syscall(Nr.SOCKET, 16, 3, 0));
        say("inet", Libc.syscall(Nr.SOCKET, 2, 1, 0) >= 0);
        say("exec-before", exec());

        int uid = Integer.parseInt(arguments[5]);
        if (uid != 0) {
            Identity.drop(uid, uid);
        }
        Identity.dieWithParent(Integer.parseInt(arguments[6]));
        Identity.undumpable();
        Seccomp.Filter stage2 =
                Seccomp.stage2()
                        .denyExec()
                        .denyIdentity()
                        .denySignals()
                        .denyInternetSockets()
                        .prepare();
        say("stage2", stage2.installOnProcess().orElse("in force"));
        say("exec-after", exec());
        say("setuid", Libc.syscall(Nr.SETUID, 0));
        say("setgroups", Libc.syscall(Nr.SETGROUPS, 0, 0, 0));
        say("kill-parent", Libc.syscall(Nr.KILL, Integer.parseInt(arguments[6]), 0, 0));
        say("kill-group", Libc.syscall(Nr.KILL, -Identity.pid(), 0, 0));
        say("kill-self", Libc.syscall(Nr.KILL, Identity.pid(), 0, 0));
        say("inet-after", Libc.syscall(Nr.SOCKET, 2, 1, 0));
        say("unix-after", Libc.syscall(Nr.SOCKET, 1, 1, 0) >= 0);
        say("pool-after", early.submit(() -> Libc.syscall(Nr.SETUID, 0)).get());
        say("ready", Identity.pid());
        Thread.currentThread().join();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "refused";
        }
    }

    private static String connect(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return "connected";
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String exec() {
        try {
            return "exit " + new ProcessBuilder("/bin/true").start().waitFor();
        } catch (IOException | InterruptedException e) {
            return "refused";
        }
    }

    private static void say(String what, Object result) {
        byte[] line = (what + "=" + result + "\n").getBytes(UTF_8);
        try {
            Fd.write(3, line, 0, line.length);
        } catch (SysException e) {
            throw new AssertionError(e);
        }
    }
}
