package smtpd.lka.expand;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import smtpd.conf.Action;
import smtpd.conf.Config;
import smtpd.conf.Delivery;
import smtpd.conf.Dialect;
import smtpd.conf.RelayUrl;
import smtpd.conf.Route;
import smtpd.conf.TlsPolicy;
import smtpd.envelope.DsnReturn;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeBuilder;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.MdaMethod;
import smtpd.envelope.RelayFlag;
import smtpd.lka.expand.Expanded.Refused;
import smtpd.lka.table.UserAnswer;
import smtpd.lka.table.Userbase;
import smtpd.mail.MailAddress;
import smtpd.table.TableRef;

/**
 * Writes the envelope of a final target. A classic rule's envelope holds the whole method, so that
 * a changed configuration leaves queued mail as it was; a modern one's names its action. Paths and
 * commands go in as written: specifiers are expanded at delivery.
 */
final class EnvelopeMaker {

    private static final String DEFAULT_MAILDIR = "~/Maildir";

    private final Recipient recipient;
    private final Config config;
    private final Optional<UserAnswer.Found> onlyUser;
    private final long nowSeconds;

    /**
     * @param onlyUser the only account that may be delivered to; absent: all
     */
    EnvelopeMaker(
            Recipient recipient,
            Config config,
            Optional<UserAnswer.Found> onlyUser,
            long nowSeconds) {
        this.recipient = recipient;
        this.config = config;
        this.onlyUser = onlyUser;
        this.nowSeconds = nowSeconds;
    }

    /** Why nothing may be delivered to a target; null when it may. */
    Refused check(Node node) {
        if (!(node.value instanceof Value.Username)
                || !(node.action instanceof Action.Local local)) {
            return null;
        }
        if (onlyUser.isPresent()
                && local.user().isEmpty()
                && node.user.uid() != onlyUser.get().uid()) {
            String text = "this instance delivers only to " + onlyUser.get().name();
            return Refused.text("550 5.7.1 " + text, text);
        }
        boolean isRoot = node.user.uid() == 0 && local.user().isEmpty();
        return switch (local.delivery()) {
            case Delivery.ForwardOnly() ->
                    Refused.misconfigured("own mailbox on a forward-only rule");
            case Delivery.ExpandOnly() -> Refused.deadEnd("own mailbox on an expand-only rule");
            case Delivery.Mbox() -> null;
            default -> {
                String text = "not allowed to deliver to: " + node.user.name();
                yield isRoot ? Refused.text("550 5.7.1 " + text, text) : null;
            }
        };
    }

    /**
     * The envelope of a target that ends its branch.
     *
     * @throws IllegalArgumentException when a value does not fit an envelope
     */
    Envelope make(Node node) {
        MailAddress dest = node.addressValue().address();
        boolean isForwarded = node.address().parent != null;
        EnvelopeBuilder made =
                Envelope.builder()
                        .version(node.rule.dialect() == Dialect.CLASSIC ? 2 : 3)
                        .action(node.action.name())
                        .tag(recipient.tag())
                        .smtpname(recipient.smtpname())
                        .helo(recipient.helo())
                        .hostname(recipient.hostname())
                        .username(recipient.username())
                        .sockaddr(recipient.source().host())
                        .sender(recipient.sender())
                        .rcpt(recipient.rcpt())
                        .dest(dest)
                        .ctime(nowSeconds)
                        .expire(
                                recipient.isNotice()
                                        ? config.bounceExpire()
                                        : config.ttlOf(node.action))
                        .flags(recipient.flags(isForwarded))
                        .dsnNotify(recipient.dsnNotify())
                        .dsnEnvid(recipient.dsnEnvid())
                        .dsnOrcpt(recipient.dsnOrcpt())
                        .needs(recipient.needs());
        if (!recipient.dsnRet().isEmpty()) {
            made.dsnRet(DsnReturn.valueOf(recipient.dsnRet()));
        }
        switch (node.action) {
            case Action.Remote remote -> remote(made, node, remote);
            case Action.Local local -> local(made, node, local, dest);
        }
        return made.build();
    }

    // ---- relayed

    private void remote(EnvelopeBuilder made, Node node, Action.Remote remote) {
        made.type(EnvelopeType.MTA);
        if (node.rule.dialect() == Dialect.MODERN) {
            return;
        }
        made.sender(rewritten(recipient.sender(), remote.rewrite()));
        Set<RelayFlag> flags = EnumSet.noneOf(RelayFlag.class);
        if (remote.tls() != TlsPolicy.OPPORTUNISTIC) {
            flags.add(RelayFlag.TLS);
        }
        if (remote.tls() == TlsPolicy.VERIFIED) {
            flags.add(RelayFlag.VERIFY);
        }
        switch (remote.route()) {
            case Route.Mx() -> {}
            case Route.Backup(Optional<String> host) ->
                    made.relay("backup://" + host.orElse(config.serverName()));
            case Route.Host(RelayUrl url) -> {
                made.relay(url.classicText());
                if (url.verified()) {
                    flags.add(RelayFlag.VERIFY);
                }
            }
            case Route.Hosts(TableRef table) -> made.relayTable(table.name());
            case Route.ByDomain(TableRef table) -> made.relayTable(table.name());
        }
        made.relayFlags(flags)
                .relayAuth(remote.auth().map(TableRef::name).orElse(""))
                .relaySource(remote.source().map(TableRef::name).orElse(""))
                .relayHelotable(remote.heloTable().map(TableRef::name).orElse(""))
                .relayHeloname(remote.helo().orElse(""));
    }

    /** Never the empty sender: a notice that got a return path could bounce forever. */
    private static MailAddress rewritten(MailAddress sender, Optional<MailAddress> rewrite) {
        if (sender.isNull() || rewrite.isEmpty()) {
            return sender;
        }
        MailAddress by = rewrite.get();
        return new MailAddress(
                by.local().isEmpty() ? sender.local() : by.local(),
                by.domain().isEmpty() ? sender.domain() : by.domain());
    }

    // ---- local

    private void local(EnvelopeBuilder made, Node node, Action.Local local, MailAddress dest) {
        made.type(EnvelopeType.MDA);
        switch (node.value) {
            case Value.Filename(String path) -> {
                owner(made, node, local);
                method(made, MdaMethod.FILENAME, path);
            }
            case Value.Command(String text) -> {
                owner(made, node, local);
                if (node.rule.dialect() == Dialect.CLASSIC) {
                    method(made, MdaMethod.MDA, text);
                } else {
                    made.mdaExec(text);
                }
            }
            default -> {
                made.mdaUser(node.user.name())
                        .mdaUsertable(userbase(local).name())
                        .mdaDeliveryUser(local.user().orElse(""))
                        .mdaSubaddress(node.tag);
                if (node.rule.dialect() == Dialect.CLASSIC) {
                    mailbox(made, local.delivery(), dest);
                }
            }
        }
    }

    /**
     * A target from a {@code .forward} runs as its owner; one from a mapping as an account without
     * rights, which is the system's even where users come from a table.
     */
    private void owner(EnvelopeBuilder made, Node node, Action.Local local) {
        if (node.origin == Node.Origin.FORWARD) {
            made.mdaUser(node.userNode().user.name()).mdaUsertable(userbase(local).name());
        } else {
            String user = onlyUser.map(UserAnswer.Found::name).orElse(config.mda().aliasUser());
            made.mdaUser(user).mdaUsertable(Userbase.SYSTEM.name());
        }
    }

    private static TableRef userbase(Action.Local local) {
        return local.userbase().orElse(Userbase.SYSTEM);
    }

    private static void mailbox(EnvelopeBuilder made, Delivery delivery, MailAddress dest) {
        switch (delivery) {
            case Delivery.Mbox() -> made.mdaMethod(MdaMethod.MBOX);
            case Delivery.Maildir maildir ->
                    method(made, MdaMethod.MAILDIR, maildir.path().orElse(DEFAULT_MAILDIR));
            case Delivery.Mda(String command) -> method(made, MdaMethod.MDA, command);
            case Delivery.Lmtp(String destination, boolean rcptTo) -> {
                method(made, MdaMethod.LMTP, destination);
                if (rcptTo) {
                    made.mdaRcptTo(dest);
                }
            }
            case Delivery.Filename(String path) -> method(made, MdaMethod.FILENAME, path);
            case Delivery.ForwardOnly(), Delivery.ExpandOnly() ->
                    throw new IllegalArgumentException("no method");
        }
    }

    private static void method(EnvelopeBuilder made, MdaMethod method, String text) {
        boolean raw = text.startsWith("~/") || text.contains("%{") || text.contains("%%");
        made.mdaMethod(method).mdaBuffer(text).mdaRaw(raw);
    }
}
