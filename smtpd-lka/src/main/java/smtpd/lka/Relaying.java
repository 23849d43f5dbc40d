package smtpd.lka;

import java.util.ArrayList;
import java.util.List;
import smtpd.conf.Dialect;
import smtpd.conf.RelayUrl;
import smtpd.imsg.LkaToMta.HeloNameIs;
import smtpd.imsg.LkaToMta.SmartHostIs;
import smtpd.imsg.LkaToMta.SourcesAre;
import smtpd.imsg.Outcome;
import smtpd.imsg.SocketAddr;
import smtpd.mail.MailAddress;
import smtpd.table.Lookup;
import smtpd.table.Netaddr;
import smtpd.table.Service;
import smtpd.table.Table;
import smtpd.table.TableKind;
import smtpd.table.TableRef;

/** What mta reads from tables. Whatever is missing is temporary for the mail. */
final class Relaying {

    private static final int MAX_SOURCES = 256;

    private int turn;

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

    /** A mapping is searched by the recipient's domain; the hosts of a list take turns. */
    SmartHostIs smartHost(long id, Site site, String name, MailAddress recipient) {
        TableRef ref = new TableRef(name);
        Table table = site.tables().get(ref);
        Lookup found;
        if (table == null) {
            found = new Lookup.Failed("no table " + name);
        } else if (table.kind() == TableKind.LIST) {
            List<String> hosts = table.entries();
            site.watch().fetched(id, site.tables(), ref, Service.RELAYHOST, hosts.size());
            found = new Lookup.Found(hosts.get(Math.floorMod(turn++, hosts.size())));
        } else {
            found = site.watched(id).find(ref, Service.RELAYHOST_BY_DOMAIN, recipient.domain());
        }
        return switch (found) {
            case Lookup.Found(String url) -> relay(site.relayDialects().get(ref), name, url);
            case Lookup.NotFound _ -> new SmartHostIs(Outcome.ok(), "");
            case Lookup.Failed(String why) -> new SmartHostIs(failed(why), "");
        };
    }

    private static SmartHostIs relay(Dialect dialect, String table, String text) {
        try {
            RelayUrl url =
                    dialect == Dialect.MODERN
                            ? RelayUrl.parseModern(text)
                            : RelayUrl.parseClassic(text);
            return new SmartHostIs(Outcome.ok(), url.classicText());
        } catch (RelayUrl.Malformed e) {
            return new SmartHostIs(failed("table " + table + ": " + e.getMessage()), "");
        }
    }

    private static Outcome failed(String why) {
        return new Outcome.Temporary("451 " + why, "4.3.5");
    }
}
