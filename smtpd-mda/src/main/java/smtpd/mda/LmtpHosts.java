package smtpd.mda;

import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Consumer;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.Resolve;
import smtpd.imsg.Resolved;
import smtpd.imsg.Role;
import smtpd.mda.deliver.Targets;
import smtpd.proc.Edge;
import smtpd.proc.IdSource;
import smtpd.proc.Pending;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** Addresses of LMTP hosts that are named: lka is asked before the delivery goes on. */
final class LmtpHosts {

    private static final long RESOLVE_MILLIS = 300_000;

    private record Question(Delivery delivery, int port) {}

    private final IdSource ids;
    private final Stats stats;
    private final Edge<MdaToLka> lka;
    private final Consumer<Delivery> found;
    private final Consumer<Delivery> failed;
    private final Pending<Question> asked;

    /**
     * @param found is given deliveries that have their addresses
     * @param failed those whose host has none, or none for now
     */
    LmtpHosts(
            EventLoop loop,
            IdSource ids,
            Stats stats,
            Edge<MdaToLka> lka,
            Consumer<Delivery> found,
            Consumer<Delivery> failed) {
        this.ids = ids;
        this.stats = stats;
        this.lka = lka;
        this.found = found;
        this.failed = failed;
        this.asked = new Pending<>(loop, question -> failed.accept(question.delivery));
    }

    void find(Delivery delivery, Targets.HostPort target) {
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(target.host());
        if (literal != null) {
            delivery.hosts = List.of(address(literal, target.port()));
            found.accept(delivery);
            return;
        }
        long id = ids.next();
        if (lka.send(id, new Resolve(target.host(), Resolve.Kind.HOST))) {
            asked.add(
                    id,
                    RESOLVE_MILLIS,
                    EnumSet.of(Role.LKA),
                    new Question(delivery, target.port()));
        } else {
            failed.accept(delivery);
        }
    }

    void answered(long id, Resolved m) {
        Question question = asked.take(id);
        if (question == null) {
            stats.increment(Stat.IMSG_LATE);
            return;
        }
        if (m.status() != DnsStatus.OK || m.hosts().isEmpty()) {
            failed.accept(question.delivery);
            return;
        }
        question.delivery.hosts =
                m.hosts().stream().map(h -> address(h.address().ip(), question.port)).toList();
        found.accept(question.delivery);
    }

    void lkaLost() {
        asked.lost(Role.LKA).forEach(question -> failed.accept(question.delivery));
    }

    private static InetSocketAddress address(byte[] ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(ip), port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // four or sixteen bytes
        }
    }
}
