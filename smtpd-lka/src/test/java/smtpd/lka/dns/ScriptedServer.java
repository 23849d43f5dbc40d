package smtpd.lka.dns;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/** A name server that misbehaves as a test says, by UDP and TCP on one port of loopback. */
final class ScriptedServer implements AutoCloseable {

    /** Gives the reply to a query, or null to stay silent. */
    interface Script {
        Message reply(Message query, boolean tcp) throws IOException;
    }

    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final Script script;
    private final AtomicInteger queries = new AtomicInteger();

    ScriptedServer(Script script) throws IOException {
        this.script = script;
        this.tcp = new ServerSocket();
        this.udp = bindBoth(tcp);
        Thread.ofPlatform().daemon().start(this::serveUdp);
        Thread.ofPlatform().daemon().start(this::serveTcp);
    }

    /** A port that is free for TCP may be taken for UDP: then another one is tried. */
    private static DatagramSocket bindBoth(ServerSocket tcp) throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        while (true) {
            DatagramSocket udp = new DatagramSocket(0, loopback);
            try {
                tcp.bind(new InetSocketAddress(loopback, udp.getLocalPort()), 8);
                return udp;
            } catch (BindException taken) {
                udp.close();
            }
        }
    }

    /** An empty reply to a query. */
    static Message replyTo(Message query, int rcode) {
        Message reply = new Message(query.getHeader().getID());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setFlag(Flags.RA);
        reply.getHeader().setRcode(rcode);
        reply.addRecord(query.getQuestion(), Section.QUESTION);
        return reply;
    }

    static Message replyTo(Message query, Record... answers) {
        Message reply = replyTo(query, 0);
        for (Record answer : answers) {
            reply.addRecord(answer, Section.ANSWER);
        }
        return reply;
    }

    InetSocketAddress address() {
        return new InetSocketAddress(udp.getLocalAddress(), udp.getLocalPort());
    }

    int queries() {
        return queries.get();
    }

    private void serveUdp() {
        byte[] buffer = new byte[65535];
        while (!udp.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                udp.receive(packet);
                byte[] reply = reply(Arrays.copyOf(buffer, packet.getLength()), false);
                if (reply != null) {
                    udp.send(new DatagramPacket(reply, reply.length, packet.getSocketAddress()));
                }
            } catch (IOException e) {
                // Closed by the test.
            }
        }
    }

    private void serveTcp() {
        while (!tcp.isClosed()) {
            try (Socket client = tcp.accept()) {
                DataInputStream in = new DataInputStream(client.getInputStream());
                byte[] query = new byte[in.readUnsignedShort()];
                in.readFully(query);
                byte[] reply = reply(query, true);
                if (reply != null) {
                    DataOutputStream out = new DataOutputStream(client.getOutputStream());
                    out.writeShort(reply.length);
                    out.write(reply);
                    out.flush();
                }
            } catch (IOException e) {
                // Closed by the test.
            }
        }
    }

    private byte[] reply(byte[] wire, boolean overTcp) throws IOException {
        queries.incrementAndGet();
        Message reply = script.reply(new Message(wire), overTcp);
        return reply == null ? null : reply.toWire();
    }

    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
    }
}
