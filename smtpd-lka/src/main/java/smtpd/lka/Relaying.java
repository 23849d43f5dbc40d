package smtpd.lka;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Dialect;
import smtpd.conf.RelayUrl;
import smtpd.imsg.LkaToMta.HeloNameIs;
import smtpd.imsg.LkaToMta.SmartHostIs;
import smtpd.imsg.LkaToMta.SourcesAre;
import smtpd.imsg.Outcome;
import smtpd.imsg.SocketAddr;
import smtpd.log.LogLine;
import smtpd.mail.MailAddress;
import smtpd.table.Lookup;
import smtpd.table.Netaddr;
import smtpd.table.Service;
import smtpd.table.Table;
import smtpd.table.TableKind;
import smtpd.table.TableRef;

/** What mta reads from tables. Whatever is missing is temporary for the mail. */
final class Relaying {

    private static final Logger LOG = LoggerFactory.getLogger(Relaying.class);
    private static final int MAX_SOURCES = 256;

    /** So many an answer holds. */
    private static final int MAX_HOSTS = 64;

    private static final String NO_HOST = "451 4.3.5 Cannot retrieve smarthost";

    /** All usable addresses in the order of the table. */
    SourcesAre sources(long id, Site site, String name) {
        TableRef ref = new TableRef(name);
        Table table = site.tables().get(ref);
        List<SocketAddr> sources = new ArrayList<>();
        if (table != null) {
            for (String entry : table.entries()) {
                Netaddr.parseAddress(entry)
                        .filter(address -> sources.size() < MAX_SOURCES)
                        .ifPresent(a -> sources.add(new SocketAddr(a.toBytes(), 0, 0)));
            }
        }
        site.watch().fetched(id, site.tables(), ref, Service.SOURCE, sources.size());
        Outcome outcome =
                sources.isEmpty() ? failed("no source address in table " + name) : Outcome.ok();
        return new SourcesAre(outcome, sources);
    }

    HeloNameIs helo(long id, Site site, String table, SocketAddr source) {
        Lookup found = site.watched(id).find(new TableRef(table), Service.ADDRNAME, source.host());
        return switch (found) {
            case Lookup.Found(String name) -> new HeloNameIs(Outcome.ok(), name);
            case Lookup.NotFound _ -> new HeloNameIs(Outcome.ok(), "");
            case Lookup.Failed(String why) -> new HeloNameIs(failed(why), "");
        };
    }

    /** A mapping is searched by the recipient's domain; a list is answered whole. */
    SmartHostIs smartHost(long id, Site site, String name, MailAddress recipient) {
        TableRef ref = new TableRef(name);
        Table table = site.tables().get(ref);
        if (table == null) {
            return none(name, false, "no such table", NO_HOST);
        }
        Dialect dialect = site.relayDialects().get(ref);
        if (table.kind() == TableKind.LIST) {
            List<String> hosts = table.entries();
            site.watch().fetched(id, site.tables(), ref, Service.RELAYHOST, hosts.size());
            return urls(dialect, name, false, hosts);
        }
        Lookup found = site.watched(id).find(ref, Service.RELAYHOST_BY_DOMAIN, recipient.domain());
        return switch (found) {
            case Lookup.Found(String url) -> urls(dialect, name, true, List.of(url));
            case Lookup.NotFound _ -> new SmartHostIs(Outcome.ok(), true, List.of());
            case Lookup.Failed(String why) -> none(name, true, why, NO_HOST);
        };
    }

    /** One bad entry of several does not stop the mail. */
    private static SmartHostIs urls(
            Dialect dialect, String table, boolean byDomain, List<String> texts) {
        List<String> urls = new ArrayList<>(texts.size());
        String bad = "";
        for (String text : texts) {
            if (urls.size() == MAX_HOSTS) {
                break;
            }
            try {
                RelayUrl url =
                        dialect == Dialect.MODERN
                                ? RelayUrl.parseModern(text)
                                : RelayUrl.parseClassic(text);
                urls.add(url.classicText());
            } catch (RelayUrl.Malformed e) {
                bad = e.getMessage();
            }
        }
        return urls.isEmpty() && !bad.isEmpty()
                ? none(table, byDomain, bad, "451 4.3.5 Cannot parse smarthost")
                : new SmartHostIs(Outcome.ok(), byDomain, urls);
    }

    private static SmartHostIs none(String table, boolean byDomain, String why, String answer) {
        LogLine.of("lka", "no-relay-host").add("table", table).quoted("reason", why).warn(LOG);
        return new SmartHostIs(new Outcome.Temporary(answer, "4.3.5"), byDomain, List.of());
    }

    private static Outcome failed(String why) {
        return new Outcome.Temporary("451 " + why, "4.3.5");
    }
}
