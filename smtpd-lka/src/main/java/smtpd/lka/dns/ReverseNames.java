package smtpd.lka.dns;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.ReverseMap;
import org.xbill.DNS.Type;
import smtpd.imsg.DnsStatus;
import smtpd.imsg.ReverseName;
import smtpd.imsg.SocketAddr;
import smtpd.table.Netaddr;

/**
 * Name of an address, confirmed by the name's own addresses: whoever owns an address block may
 * claim any name in its PTR (RFC 1912 2.1). Belongs to the event loop.
 */
public final class ReverseNames {

    private static final int MAX_NAMES = 10;

    private final StubResolver resolver;
    private final HostsFile hosts;
    private final Addresses addresses;

    public ReverseNames(StubResolver resolver, HostsFile hosts) {
        this.resolver = resolver;
        this.hosts = hosts;
        this.addresses = new Addresses(resolver, hosts, Families.BOTH);
    }

    /** The first name that maps back, else the first name, unconfirmed. */
    public void name(SocketAddr address, Consumer<ReverseName> then) {
        if (address.isLocal()) {
            then.accept(unknown(DnsStatus.NOT_FOUND));
            return;
        }
        Netaddr asked = Netaddr.ofBytes(address.ip());
        String listed = hosts.name(asked);
        if (listed != null) {
            then.accept(new ReverseName(DnsStatus.OK, listed, true));
            return;
        }
        Name reverse = ReverseMap.fromAddress(asked.toBytes());
        resolver.ask(new Question(reverse, Type.PTR), answer -> names(asked, answer, then));
    }

    private void names(Netaddr asked, Answer answer, Consumer<ReverseName> then) {
        if (answer.status() == Answer.Status.FAILED) {
            then.accept(unknown(DnsStatus.RETRY));
            return;
        }
        List<Name> names = new ArrayList<>();
        for (Record record : answer.records()) {
            Name target = ((PTRRecord) record).getTarget();
            // Anything else would end up in headers and logs.
            if (names.size() < MAX_NAMES && DomainName.isHostName(DomainName.text(target))) {
                names.add(target);
            }
        }
        if (names.isEmpty()) {
            then.accept(unknown(DnsStatus.NOT_FOUND));
        } else {
            confirm(asked, names, 0, false, then);
        }
    }

    private void confirm(
            Netaddr asked,
            List<Name> names,
            int index,
            boolean failed,
            Consumer<ReverseName> then) {
        if (index == names.size()) {
            DnsStatus status = failed ? DnsStatus.RETRY : DnsStatus.OK;
            then.accept(new ReverseName(status, DomainName.text(names.get(0)), false));
            return;
        }
        addresses.ask(
                names.get(index),
                asked.isIpv4(),
                found -> {
                    for (SocketAddr address : found.addresses()) {
                        if (Netaddr.ofBytes(address.ip()).equals(asked)) {
                            String name = DomainName.text(names.get(index));
                            then.accept(new ReverseName(DnsStatus.OK, name, true));
                            return;
                        }
                    }
                    boolean retry = failed || found.status() == Addresses.Status.RETRY;
                    confirm(asked, names, index + 1, retry, then);
                });
    }

    private static ReverseName unknown(DnsStatus status) {
        return new ReverseName(status, "", false);
    }
}
