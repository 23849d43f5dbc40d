package smtpd.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketsTest {
    @TempDir Path folder;

    @Test
    void pairIsConnectedNonBlockingAndCloseOnExec() throws IOException {
        int[] pair = Sockets.pair();
        assertThat(Fd.tryRead(pair[0], new byte[1], 0, 1)).isEqualTo(-Errno.EAGAIN);
        Fd.write(pair[1], new byte[] {7}, 0, 1);
        byte[] one = new byte[1];
        assertThat(Fd.read(pair[0], one, 0, 1)).isEqualTo(1);
        assertThat(one[0]).isEqualTo((byte) 7);
        assertThat(Files.readString(Path.of("/proc/self/fdinfo/" + pair[0])))
                .contains("flags:\t02004002");
        Fd.close(pair[0]);
        assertThat(Fd.tryRead(pair[1], one, 0, 1)).isZero();
        Fd.close(pair[1]);
    }

    @Test
    void aFilePassesAndTheByteIsTheOneNettySends() throws IOException {
        Path file = folder.resolve("content");
        Files.writeString(file, "mail");
        int fd = At.open(At.CWD, file.toString(), Open.RDONLY);
        int[] pair = Sockets.pair();
        FdPassing.send(pair[0], fd);
        FdPassing.send(pair[0], fd);
        int passed = FdPassing.receive(pair[1]);
        assertThat(passed).isNotEqualTo(fd);
        assertThat(Fd.stat(passed).inode()).isEqualTo(Fd.stat(fd).inode());
        Fd.close(fd);
        assertThat(Fd.readAll(passed, 10)).hasSize(4);
        Fd.close(passed);
        Fd.close(FdPassing.receive(pair[1]));
        assertThatThrownBy(() -> FdPassing.receive(pair[1]))
                .isInstanceOfSatisfying(
                        SysException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EAGAIN));
        Fd.close(pair[0]);
        assertThat(FdPassing.receive(pair[1])).isEqualTo(-1);
        Fd.close(pair[1]);
    }

    @Test
    void aByteWithoutDescriptorIsAnErrorNotADescriptor() throws IOException {
        int[] pair = Sockets.pair();
        Fd.write(pair[0], new byte[1], 0, 1);
        assertThatThrownBy(() -> FdPassing.receive(pair[1]))
                .isInstanceOfSatisfying(
                        SysException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
        Fd.close(pair[0]);
        Fd.close(pair[1]);
    }

    @Test
    void bothFamiliesListenOnTheSamePort() throws IOException {
        int four = Sockets.listenTcp(new InetSocketAddress("0.0.0.0", 0), 16);
        InetSocketAddress address = Sockets.localAddress(four);
        int six = Sockets.listenTcp(new InetSocketAddress("::", address.getPort()), 16);
        for (String to : new String[] {"127.0.0.1", "::1"}) {
            try (SocketChannel channel =
                    SocketChannel.open(
                            new InetSocketAddress(InetAddress.getByName(to), address.getPort()))) {
                assertThat(channel.isConnected()).isTrue();
            }
        }
        assertThatThrownBy(() -> Sockets.listenTcp(address, 16))
                .isInstanceOf(SysException.class)
                .hasMessageContaining("port " + address.getPort())
                .hasMessageContaining("EADDRINUSE");
        Fd.close(four);
        Fd.close(six);
    }

    @Test
    void unixSocketHasItsModeAndReplacesAStaleOne() throws IOException {
        String path = folder.resolve("control").toString();
        int first = Sockets.listenUnix(path, 0660, 16);
        assertThat(At.lstat(At.CWD, path).permissions()).isEqualTo(0660);
        assertThat(Sockets.answers(path)).isTrue();
        Fd.close(first);
        assertThat(Sockets.answers(path)).isFalse();
        int second = Sockets.listenUnix(path, 0666, 16);
        assertThat(At.lstat(At.CWD, path).permissions()).isEqualTo(0666);
        Fd.close(second);
        Files.writeString(folder.resolve("file"), "mine");
        assertThatThrownBy(() -> Sockets.listenUnix(folder + "/file", 0600, 1))
                .hasMessageContaining("EEXIST");
        assertThat(folder.resolve("file")).hasContent("mine");
        assertThatThrownBy(() -> Sockets.listenUnix(folder + "/" + "x".repeat(108), 0600, 1))
                .hasMessageContaining("ENAMETOOLONG");
    }

    @Test
    void theKernelNamesThePeer() throws IOException {
        int[] pair = Sockets.pair();
        Sockets.Peer peer = Sockets.peer(pair[0]);
        assertThat(peer.pid()).isEqualTo((int) ProcessHandle.current().pid());
        assertThat(peer.uid()).isEqualTo(Files.getAttribute(folder, "unix:uid"));
        Fd.close(pair[0]);
        Fd.close(pair[1]);
    }

    @Test
    void javaClientsReachOurUnixSocket() throws IOException {
        String path = folder.resolve("s").toString();
        int fd = Sockets.listenUnix(path, 0600, 16);
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(path));
            assertThat(channel.write(ByteBuffer.wrap(new byte[3]))).isEqualTo(3);
        }
        Fd.close(fd);
    }
}
