package smtpd.envelope;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import smtpd.mail.MailAddress;

/**
 * One recipient of one message, all that is known of it. Its id is not part of the value: the name
 * of the file, or the frame, carries it. Texts that are absent are empty, never null; none holds
 * CR, LF or NUL. Made by {@link #builder()} and {@link #toBuilder()}.
 *
 * @param version 2 = the delivery method is resolved here, 3 = only the action is named; kept for
 *     life
 * @param action rule or action name; {@code dispatcher} in version 3
 * @param tag listener tag, {@code local} for local submission
 * @param smtpname our name at reception
 * @param helo as greeted, not empty
 * @param hostname verified reverse name, {@code <unknown>}, or {@code UID@localhost}; not empty
 * @param username login of the session
 * @param errorline last failure: code, enhanced code, text
 * @param sockaddr {@code local} or a bare IP address
 * @param rcpt recipient as given
 * @param dest recipient after expansion
 * @param ctime creation, Unix seconds
 * @param lastTry Unix seconds, 0 = never
 * @param lastBounce threshold time of the last delay warning, 0 = none
 * @param expire life from {@code ctime}, whole seconds
 * @param retry tries so far, stops at 65535
 * @param remoteMta {@code name [address]} of the host that answered last
 * @param hold null = not suspended
 * @param content null until the content is complete
 * @param kept lines of names unknown to us, in order
 */
public record Envelope(
        int version,
        String action,
        String tag,
        EnvelopeType type,
        String smtpname,
        String helo,
        String hostname,
        String username,
        String errorline,
        String sockaddr,
        MailAddress sender,
        MailAddress rcpt,
        MailAddress dest,
        long ctime,
        long lastTry,
        long lastBounce,
        Duration expire,
        int retry,
        Set<EnvelopeFlag> flags,
        DsnFields dsn,
        MdaFields mda,
        MtaFields mta,
        BounceFields bounce,
        String remoteMta,
        Set<Need> needs,
        Hold hold,
        ContentFacts content,
        List<KeptField> kept) {

    public static final Duration DEFAULT_EXPIRE = Duration.ofDays(4);
    public static final Duration BOUNCE_EXPIRE = Duration.ofDays(7);
    public static final int MAX_RETRY = 65_535;

    /**
     * @throws IllegalArgumentException for a value that the text form cannot hold: a line end, too
     *     long, out of range, a missing one
     */
    public Envelope {
        if (version != 2 && version != 3) {
            throw new IllegalArgumentException("version: " + version);
        }
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(dsn, "dsn");
        Objects.requireNonNull(mda, "mda");
        Objects.requireNonNull(mta, "mta");
        Objects.requireNonNull(bounce, "bounce");
        action = Values.text("action", action, 255);
        tag = Values.text("tag", tag, 32);
        smtpname = Values.text("smtpname", smtpname, 255);
        helo = Values.text("helo", helo, 255);
        hostname = Values.text("hostname", hostname, 255);
        username = Values.text("username", username, 255);
        errorline = Values.text("errorline", errorline, EnvelopeText.MAX_ERRORLINE);
        sockaddr = Values.sockaddr(sockaddr);
        remoteMta = Values.text("remote-mta", remoteMta, 255);
        if (helo.isEmpty() || hostname.isEmpty()) {
            throw new IllegalArgumentException((helo.isEmpty() ? "helo" : "hostname") + ": empty");
        }
        Values.address("sender", sender);
        Values.address("rcpt", rcpt);
        Values.address("dest", dest);
        Values.range("ctime", ctime, Long.MAX_VALUE);
        Values.range("last-try", lastTry, Long.MAX_VALUE);
        Values.range("last-bounce", lastBounce, Long.MAX_VALUE);
        Values.range("expire", expire.toSeconds(), Values.MAX_SECONDS);
        Values.range("retry", retry, MAX_RETRY);
        flags = Set.copyOf(flags);
        needs = Set.copyOf(needs);
        kept = List.copyOf(kept);
    }

    public static EnvelopeBuilder builder() {
        return new EnvelopeBuilder();
    }

    /** A builder that starts from all fields of this one. */
    public EnvelopeBuilder toBuilder() {
        return new EnvelopeBuilder(this);
    }

    /** Reports must never be sent for it (RFC 5321 4.5.5). */
    public boolean isNullSender() {
        return sender.local().isEmpty();
    }

    public boolean has(EnvelopeFlag flag) {
        return flags.contains(flag);
    }

    public boolean needs(Need need) {
        return needs.contains(need);
    }

    /** Unix seconds of the end of its life. */
    public long expiresAt() {
        return ctime + expire.toSeconds();
    }
}
