package smtpd.mta;

import java.net.IDN;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import smtpd.conf.Action;
import smtpd.conf.Config;
import smtpd.conf.RelayUrl;
import smtpd.conf.Route;
import smtpd.conf.TlsPolicy;
import smtpd.envelope.DsnFields;
import smtpd.envelope.DsnReturn;
import smtpd.envelope.Envelope;
import smtpd.envelope.Evpid;
import smtpd.envelope.MtaFields;
import smtpd.envelope.Need;
import smtpd.envelope.RelayFlag;
import smtpd.mail.MailAddress;
import smtpd.mta.route.Letter;
import smtpd.mta.route.Message;
import smtpd.mta.route.RelayKey;
import smtpd.mta.route.Task;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;
import smtpd.table.TableRef;

/**
 * From an envelope to its relay and task. Version 2 carries the method resolved, version 3 names an
 * action of the configuration.
 */
final class Addressing {

    private static final String NO_PARSE = "451 4.3.5 Cannot parse smarthost";

    /** Where an envelope goes, or why it cannot go. */
    sealed interface Way {
        /**
         * @param others hosts to try when this one cannot be reached, in that order
         */
        record To(RelayKey key, List<RelayKey> others) implements Way {}

        /** The host stands in this table. */
        record Ask(String table, Options options) implements Way {}

        record No(Result result) implements Way {}
    }

    /** What a relay needs beside its host. */
    record Options(
            String auth,
            String source,
            String heloTable,
            String helo,
            String cert,
            String ca,
            boolean tls,
            boolean verify,
            boolean classic,
            String needs) {}

    private final Config config;

    Addressing(Config config) {
        this.config = config;
    }

    Way way(Envelope envelope) {
        return envelope.version() == 2 ? resolved(envelope) : named(envelope);
    }

    private Way resolved(Envelope envelope) {
        MtaFields mta = envelope.mta();
        Options options =
                new Options(
                        mta.auth(),
                        mta.source(),
                        mta.helotable(),
                        mta.heloname(),
                        mta.cert(),
                        mta.ca(),
                        mta.flags().contains(RelayFlag.TLS),
                        mta.flags().contains(RelayFlag.VERIFY),
                        true,
                        needs(envelope));
        if (!mta.relayTable().isEmpty()) {
            return new Way.Ask(mta.relayTable(), options);
        }
        String relay = mta.relay();
        if (relay.isEmpty()) {
            return byMx(envelope, options, "");
        }
        if (relay.startsWith("backup://")) {
            return byMx(envelope, options, domain(relay.substring("backup://".length())));
        }
        return host(relay, options);
    }

    private Way named(Envelope envelope) {
        if (!(config.actions().get(envelope.action()) instanceof Action.Remote remote)) {
            return new Way.No(
                    Result.deferred(Reason.LOCAL_TEMPFAIL, "451 4.3.5 Unknown relay action"));
        }
        Options options =
                new Options(
                        name(remote.auth()),
                        name(remote.source()),
                        name(remote.heloTable()),
                        remote.helo().orElse(""),
                        "",
                        "",
                        remote.tls() != TlsPolicy.OPPORTUNISTIC,
                        remote.tls() == TlsPolicy.VERIFIED,
                        false,
                        needs(envelope));
        return switch (remote.route()) {
            case Route.Mx _ -> byMx(envelope, options, "");
            case Route.Backup backup ->
                    byMx(envelope, options, domain(backup.host().orElse(config.serverName())));
            case Route.Host host -> host(host.url(), options);
            case Route.Hosts hosts -> new Way.Ask(hosts.table().name(), options);
            case Route.ByDomain by -> new Way.Ask(by.table().name(), options);
        };
    }

    private static String name(Optional<TableRef> table) {
        return table.map(TableRef::name).orElse("");
    }

    private static String needs(Envelope envelope) {
        if (envelope.needs(Need.REQUIRETLS)) {
            return "requiretls";
        }
        return envelope.needs(Need.TLSOPTIONAL) ? "tlsoptional" : "";
    }

    private static Way byMx(Envelope envelope, Options options, String backup) {
        return new Way.To(
                key(
                        domain(envelope.dest().domain()),
                        false,
                        RelayUrl.Mode.OPPORTUNISTIC,
                        25,
                        "",
                        backup,
                        options),
                List.of());
    }

    /** The hosts that a table named; one that makes no sense is left out while others do. */
    Way hosts(SmartHosts.Answer answer, Options options) {
        List<RelayKey> keys = new ArrayList<>(answer.urls().size());
        Way bad = null;
        for (String url : answer.urls()) {
            Way way;
            try {
                way = host(RelayUrl.parseClassic(url), options);
            } catch (RelayUrl.Malformed e) {
                way = new Way.No(Result.deferred(Reason.LOCAL_TEMPFAIL, NO_PARSE));
            }
            if (way instanceof Way.To to) {
                if (!keys.contains(to.key())) {
                    keys.add(to.key());
                }
            } else {
                bad = way;
            }
        }
        if (!keys.isEmpty()) {
            return new Way.To(keys.getFirst(), List.copyOf(keys.subList(1, keys.size())));
        }
        return bad != null ? bad : new Way.No(Result.deferred(Reason.LOCAL_TEMPFAIL, answer.why()));
    }

    /**
     * @param url relay URL as in an envelope or an action
     */
    private Way host(String url, Options options) {
        try {
            return host(
                    options.classic() ? RelayUrl.parseClassic(url) : RelayUrl.parseModern(url),
                    options);
        } catch (RelayUrl.Malformed e) {
            return new Way.No(Result.deferred(Reason.LOCAL_TEMPFAIL, NO_PARSE));
        }
    }

    private static Way host(RelayUrl url, Options options) {
        if (url.hasLabel() && options.auth().isEmpty()) {
            return new Way.No(
                    Result.deferred(Reason.LOCAL_TEMPFAIL, "451 4.3.5 No auth table for relaying"));
        }
        if (url.mode() == RelayUrl.Mode.PLAIN && (options.tls() || options.verify())) {
            return new Way.No(
                    Result.deferred(Reason.TLS_FAILED, "451 4.3.5 TLS required for relaying"));
        }
        String host = url.isAddress() ? "[" + url.host() + "]" : domain(url.host());
        return new Way.To(
                key(host, true, url.mode(), url.effectivePort(), url.label(), "", options),
                List.of());
    }

    private static RelayKey key(
            String domain,
            boolean asHost,
            RelayUrl.Mode mode,
            int port,
            String label,
            String backup,
            Options options) {
        boolean demanded =
                mode.isTlsMandatory()
                        || options.tls()
                        || options.verify()
                        || options.needs().equals("requiretls");
        String tls =
                switch (mode) {
                    case PLAIN -> "smtp+notls";
                    case OPPORTUNISTIC -> "smtp";
                    case STARTTLS -> "smtp+tls";
                    case SMTPS -> "smtps";
                    case SECURE -> "secure";
                    case LMTP -> "lmtp";
                };
        return new RelayKey(
                domain,
                asHost,
                port,
                mode == RelayUrl.Mode.LMTP,
                options.verify() ? tls + ",verify" : tls,
                options.auth(),
                label,
                options.cert(),
                options.ca(),
                options.source(),
                options.heloTable(),
                options.helo(),
                backup,
                options.needs(),
                demanded);
    }

    /**
     * A-labels, lower case, no final dot; what is no name stays as it is for the resolver to say.
     */
    static String domain(String name) {
        String folded = name.toLowerCase(Locale.ROOT);
        if (folded.endsWith(".")) {
            folded = folded.substring(0, folded.length() - 1);
        }
        for (int i = 0; i < folded.length(); i++) {
            if (folded.charAt(i) > 0x7f) {
                try {
                    return IDN.toASCII(folded).toLowerCase(Locale.ROOT);
                } catch (IllegalArgumentException e) {
                    return folded;
                }
            }
        }
        return folded;
    }

    /** What of an envelope makes its transaction. */
    Task.Key task(Envelope envelope, Message message, List<RelayKey> others) {
        DsnFields dsn = envelope.dsn();
        DsnReturn ret = dsn.ret();
        return new Task.Key(
                message,
                sender(envelope).toString(),
                ret == null ? "" : ret.name(),
                dsn.envid(),
                envelope.needs(Need.EIGHTBITMIME),
                envelope.needs(Need.SMTPUTF8),
                others);
    }

    /** {@code mail-from} of an action replaces what it names, never a null sender. */
    private MailAddress sender(Envelope envelope) {
        MailAddress sender = envelope.sender();
        if (envelope.version() == 2
                || envelope.isNullSender()
                || !(config.actions().get(envelope.action()) instanceof Action.Remote remote)
                || remote.rewrite().isEmpty()) {
            return sender;
        }
        MailAddress rewrite = remote.rewrite().get();
        return new MailAddress(
                rewrite.local().isEmpty() ? sender.local() : rewrite.local(),
                rewrite.domain().isEmpty() ? sender.domain() : rewrite.domain());
    }

    static Letter letter(Evpid evpid, Envelope envelope) {
        DsnFields dsn = envelope.dsn();
        return new Letter(
                evpid,
                envelope.rcpt().toString(),
                envelope.dest().toString(),
                dsnNotify(dsn.notifyBits()),
                dsn.orcpt(),
                envelope.ctime(),
                envelope.retry());
    }

    private static String dsnNotify(int bits) {
        if (bits == 0) {
            return "";
        }
        if ((bits & DsnFields.NEVER) != 0) {
            return "NEVER";
        }
        StringBuilder text = new StringBuilder();
        add(text, bits, DsnFields.SUCCESS, "SUCCESS");
        add(text, bits, DsnFields.FAILURE, "FAILURE");
        add(text, bits, DsnFields.DELAY, "DELAY");
        return text.toString();
    }

    private static void add(StringBuilder text, int bits, int bit, String word) {
        if ((bits & bit) != 0) {
            text.append(text.isEmpty() ? "" : ",").append(word);
        }
    }
}
