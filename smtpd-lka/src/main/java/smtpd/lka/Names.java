package smtpd.lka;

import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import smtpd.lka.dns.Families;
import smtpd.lka.dns.HostsFile;
import smtpd.lka.dns.MailHosts;
import smtpd.lka.dns.Meter;
import smtpd.lka.dns.NameServers;
import smtpd.lka.dns.ReverseNames;
import smtpd.lka.dns.StubResolver;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** The DNS as one configuration sees it. */
record Names(StubResolver resolver, MailHosts mail, ReverseNames reverse) {

    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
    private static final Path HOSTS = Path.of("/etc/hosts");

    /**
     * @param resolvers empty: those of {@code resolv.conf}
     */
    static Names of(
            List<InetSocketAddress> resolvers, Executors executors, EventLoop loop, Stats stats) {
        NameServers servers =
                resolvers.isEmpty()
                        ? NameServers.ofFile(RESOLV_CONF, executors.watch(), loop, System::nanoTime)
                        : NameServers.fixed(resolvers);
        StubResolver resolver =
                new StubResolver(
                        servers,
                        StubResolver.Patience.DEFAULT,
                        loop,
                        System::nanoTime,
                        new Counted(stats));
        HostsFile hosts = new HostsFile(HOSTS, executors.watch(), loop, System::nanoTime);
        return new Names(
                resolver,
                new MailHosts(resolver, hosts, Families.ofThisHost()),
                new ReverseNames(resolver, hosts));
    }

    private record Counted(Stats stats) implements Meter {
        @Override
        public void sent() {
            stats.increment(Stat.DNS_QUERY);
        }

        @Override
        public void fromCache() {
            stats.increment(Stat.DNS_CACHED);
        }

        @Override
        public void failed() {
            stats.increment(Stat.DNS_FAILED);
        }
    }
}
