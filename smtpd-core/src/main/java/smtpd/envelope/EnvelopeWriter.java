package smtpd.envelope;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.CRC32C;
import smtpd.mail.MailAddress;

/** Writes the lines of one envelope in the fixed order. */
final class EnvelopeWriter {

    private static final Map<Field, byte[]> NAMES = new EnumMap<>(Field.class);

    static {
        for (Field f : Field.values()) {
            NAMES.put(f, (f.text() + ": ").getBytes(StandardCharsets.US_ASCII));
        }
    }

    private final boolean isClassic;
    private byte[] out = new byte[1024];
    private int at;

    EnvelopeWriter(boolean isClassic) {
        this.isClassic = isClassic;
    }

    byte[] write(Envelope e) {
        boolean isModern = e.version() >= 3;
        number(Field.VERSION, e.version());
        if (!isClassic) {
            number(Field.FORMAT, 1);
        }
        if (isModern) {
            text(Field.DISPATCHER, e.action());
        } else {
            ours(Field.ACTION, e.action());
        }
        common(e, isModern);
        dsn(e.dsn(), isModern);
        switch (e.type()) {
            case MDA -> mda(e.mda(), isModern);
            case MTA -> mta(e.mta());
            case BOUNCE -> bounce(e.bounce(), isModern);
        }
        additions(e);
        if (at > EnvelopeText.MAX_WRITTEN) {
            throw new IllegalArgumentException("envelope text of " + at + " bytes");
        }
        for (KeptField k : e.kept()) {
            raw(k.name());
            raw(": ");
            raw(k.value());
            lineEnd();
        }
        if (!isClassic) {
            CRC32C sum = new CRC32C();
            sum.update(out, 0, at);
            text(Field.END, HexFormat.of().toHexDigits((int) sum.getValue()));
        }
        return Arrays.copyOf(out, at);
    }

    private void common(Envelope e, boolean isModern) {
        text(Field.TAG, e.tag());
        text(Field.TYPE, e.type().text());
        text(Field.SMTPNAME, e.smtpname());
        text(Field.HELO, e.helo());
        text(Field.HOSTNAME, e.hostname());
        if (isModern || !isClassic) {
            text(Field.USERNAME, e.username());
        }
        text(Field.ERRORLINE, e.errorline());
        text(Field.SOCKADDR, sockaddr(e.sockaddr(), isModern));
        address(Field.SENDER, e.sender());
        address(Field.RCPT, e.rcpt());
        address(Field.DEST, e.dest());
        number(Field.CTIME, e.ctime());
        number(Field.LAST_TRY, e.lastTry());
        number(Field.LAST_BOUNCE, e.lastBounce());
        number(isModern ? Field.TTL : Field.EXPIRE, e.expire().toSeconds());
        number(Field.RETRY, e.retry());
        if (!e.flags().isEmpty()) {
            words(Field.FLAGS, Arrays.asList(EnvelopeFlag.values()), e.flags());
        }
    }

    private static String sockaddr(String address, boolean isModern) {
        if (address.indexOf(':') < 0) {
            return address;
        }
        return isModern ? "[" + address + "]" : "IPv6:" + address;
    }

    private void dsn(DsnFields d, boolean isModern) {
        if (isModern || d.notifyBits() != 0) {
            number(Field.DSN_NOTIFY, d.notifyBits());
        }
        if (d.ret() != null) {
            text(Field.DSN_RET, d.ret().name());
        }
        text(Field.DSN_ENVID, d.envid());
        text(Field.DSN_ORCPT, d.orcpt());
        if (d.escClass() != 0) {
            number(Field.ESC_CLASS, d.escClass());
            number(Field.ESC_CODE, d.escCode());
        }
    }

    private void mda(MdaFields m, boolean isModern) {
        text(Field.MDA_BUFFER, m.buffer());
        if (m.method() != null) {
            text(Field.MDA_METHOD, m.method().text());
        }
        text(Field.MDA_USER, m.user());
        text(Field.MDA_USERTABLE, m.usertable());
        text(Field.MDA_DELIVERY_USER, m.deliveryUser());
        if (isModern || !isClassic) {
            text(Field.MDA_EXEC, m.exec());
            text(Field.MDA_SUBADDRESS, m.subaddress());
        }
        if (m.rcptTo() != null && !isClassic) {
            address(Field.MDA_RCPT_TO, m.rcptTo());
        }
    }

    private void mta(MtaFields m) {
        text(Field.MTA_RELAY, m.relay());
        text(Field.MTA_RELAY_AUTH, m.auth());
        text(Field.MTA_RELAY_CERT, m.cert());
        text(Field.MTA_RELAY_CA, m.ca());
        if (!m.flags().isEmpty()) {
            words(Field.MTA_RELAY_FLAGS, Arrays.asList(RelayFlag.values()), m.flags());
        }
        text(Field.MTA_RELAY_HELONAME, m.heloname());
        text(Field.MTA_RELAY_HELOTABLE, m.helotable());
        text(Field.MTA_RELAY_SOURCE, m.source());
        ours(Field.MTA_RELAY_TABLE, m.relayTable());
    }

    private void bounce(BounceFields b, boolean isModern) {
        if (!isModern) {
            seconds(Field.BOUNCE_EXPIRE, b.expire());
            seconds(Field.BOUNCE_DELAY, b.delay());
        }
        if (b.type() != null) {
            text(Field.BOUNCE_TYPE, b.type().text(isModern ? 3 : 2));
        }
        if (isModern) {
            seconds(Field.BOUNCE_DELAY, b.delay());
            seconds(Field.BOUNCE_TTL, b.expire());
        }
        if (!b.notice().isNone()) {
            ours(Field.NOTICE, b.notice().toString());
        }
    }

    private void additions(Envelope e) {
        if (isClassic) {
            return;
        }
        if (e.mda().isRaw()) {
            text(Field.EXPAND, "raw");
        }
        text(Field.REMOTE_MTA, e.remoteMta());
        if (!e.needs().isEmpty()) {
            words(Field.NEED, Arrays.asList(Need.values()), e.needs());
        }
        if (e.hold() != null) {
            text(Field.HOLD, e.hold().toString());
        }
        if (e.content() != null) {
            text(Field.CONTENT, e.content().toString());
        }
    }

    private <W extends Enum<W>> void words(Field field, Iterable<W> all, Collection<W> set) {
        StringBuilder value = new StringBuilder();
        for (W word : all) {
            if (set.contains(word)) {
                value.append(value.isEmpty() ? "" : " ").append(word(word));
            }
        }
        text(field, value.toString());
    }

    private static String word(Enum<?> e) {
        return switch (e) {
            case EnvelopeFlag f -> f.text();
            case RelayFlag f -> f.text();
            case Need n -> n.text();
            default -> throw new IllegalStateException(e.toString());
        };
    }

    private void seconds(Field field, Duration value) {
        if (!value.isZero()) {
            number(field, value.toSeconds());
        }
    }

    private void ours(Field field, String value) {
        if (!isClassic) {
            text(field, value);
        }
    }

    private void address(Field field, MailAddress address) {
        name(field);
        raw(address.local());
        raw("@");
        raw(address.domain());
        lineEnd();
    }

    private void number(Field field, long value) {
        text(field, Long.toString(value));
    }

    private void text(Field field, String value) {
        if (!value.isEmpty()) {
            name(field);
            raw(value);
            lineEnd();
        }
    }

    private void name(Field field) {
        byte[] name = NAMES.get(field);
        room(name.length);
        System.arraycopy(name, 0, out, at, name.length);
        at += name.length;
    }

    private void raw(String text) {
        room(EscapedUtf8.length(text));
        int end = EscapedUtf8.encode(text, out, at);
        // The last fence: no value brings a line of its own, whatever its type let through.
        for (int i = at; i < end; i++) {
            if (out[i] == '\n' || out[i] == '\r' || out[i] == 0) {
                throw new IllegalStateException("a line end or NUL in a value");
            }
        }
        at = end;
    }

    private void lineEnd() {
        room(1);
        out[at++] = '\n';
    }

    private void room(int more) {
        if (at + more > out.length) {
            out = Arrays.copyOf(out, Math.max(out.length * 2, at + more));
        }
    }
}
