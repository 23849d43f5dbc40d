package smtpd.envelope;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import smtpd.mail.MailAddress;

/**
 * One reading of one envelope text. Goes through all lines even after a bad one, for a torn file is
 * told from a corrupt one by what it ends in.
 */
final class EnvelopeParser {

    static final long TEN_YEARS = 3653L * 86_400;

    /** The newest version a later release may write; beyond is damage. */
    private static final int MAX_VERSION = 64;

    private static final Field[] REQUIRED = {
        Field.VERSION,
        Field.TYPE,
        Field.HELO,
        Field.HOSTNAME,
        Field.SENDER,
        Field.RCPT,
        Field.DEST,
        Field.CTIME
    };

    private final byte[] text;
    private final String serverName;
    private final long now;

    private final EnvelopeBuilder builder = new EnvelopeBuilder();
    private final List<KeptField> kept = new ArrayList<>(0);
    private long seen;
    private int version;
    private int repeated;
    private boolean isEdited;
    private long ctime;
    private long lastTry;
    private String action = "";
    private String dispatcher = "";
    private String relay = "";
    private String relayFlags = "";

    private int endLine = -1;
    private boolean isEndLast;
    private int endSum;
    private boolean isEndSumSound;

    private Verdict.Corrupt corrupt;
    private String future;

    EnvelopeParser(byte[] text, String serverName, long now) {
        this.text = text;
        this.serverName = serverName;
        this.now = now;
    }

    Verdict verdict() {
        if (text.length == 0) {
            return new Verdict.Torn(0, 0);
        }
        if (text.length > EnvelopeText.MAX_STORED) {
            return new Verdict.Corrupt("size", "longer than " + EnvelopeText.MAX_STORED);
        }
        boolean hasNul = false;
        for (byte b : text) {
            hasNul |= b == 0;
        }
        boolean isCut = text[text.length - 1] != '\n';
        lines();
        if (hasNul) {
            return new Verdict.Torn(ctime, lastTry);
        }
        if (version > 3) {
            return new Verdict.Future(Field.VERSION.text());
        }
        long ours = Field.OURS | (version == 3 ? 0 : Field.MDA_SUBADDRESS.bit());
        boolean marked = (seen & (Field.FORMAT.bit() | Field.CONTENT.bit())) != 0;
        if ((isCut && (seen & ours) != 0) || (marked && !isEndLast)) {
            return new Verdict.Torn(ctime, lastTry);
        }
        if (corrupt != null) {
            return corrupt;
        }
        if (future != null) {
            return new Verdict.Future(future);
        }
        return envelope(ours);
    }

    private Verdict envelope(long ours) {
        for (Field f : REQUIRED) {
            if ((seen & f.bit()) == 0) {
                return new Verdict.Corrupt(f.text(), "missing");
            }
        }
        Envelope envelope;
        try {
            finish();
            envelope = builder.build();
        } catch (IllegalArgumentException e) {
            return corrupt(e);
        }
        if ((seen & ours) == 0) {
            return new Verdict.Foreign(envelope, repeated);
        }
        if (!isEdited && isEndLast && isSumSound()) {
            return new Verdict.Sound(envelope, repeated);
        }
        return new Verdict.Edited(envelope, repeated);
    }

    private static Verdict.Corrupt corrupt(IllegalArgumentException e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.indexOf(": ");
        return colon < 0
                ? new Verdict.Corrupt("value", message)
                : new Verdict.Corrupt(message.substring(0, colon), message.substring(colon + 2));
    }

    private boolean isSumSound() {
        if (!isEndSumSound) {
            return false;
        }
        CRC32C sum = new CRC32C();
        sum.update(text, 0, endLine);
        return (int) sum.getValue() == endSum;
    }

    private void lines() {
        int line = 1;
        int from = 0;
        while (from < text.length) {
            int to = from;
            while (to < text.length && text[to] != '\n') {
                to++;
            }
            line(line++, from, to);
            from = to + 1;
        }
    }

    private void line(int number, int from, int lineEnd) {
        int to = lineEnd;
        if (to > from && text[to - 1] == '\r') {
            to--;
            isEdited = true;
        }
        if (to == from) {
            isEdited = true;
            return;
        }
        isEndLast = false;
        int colon = from;
        while (colon < to && isNameByte(text[colon])) {
            colon++;
        }
        int nameEnd = colon;
        while (colon < to && isBlank(text[colon])) {
            colon++;
        }
        if (colon == to || text[colon] != ':' || nameEnd == from) {
            spoil("line " + number, "not a field");
            return;
        }
        int value = colon + 1;
        while (value < to && isBlank(text[value])) {
            value++;
        }
        for (int i = value; i < to; i++) {
            if (text[i] == '\r') {
                spoil("line " + number, "CR in a value");
                return;
            }
        }
        String name = name(from, nameEnd);
        Field field = Field.of(name);
        try {
            if (field == null) {
                unknown(name, string(value, to));
            } else {
                if ((seen & field.bit()) != 0) {
                    repeated++;
                }
                seen |= field.bit();
                known(field, from, value, to);
            }
        } catch (IllegalArgumentException e) {
            spoil(name, "bad value");
        }
    }

    private void spoil(String field, String why) {
        if (corrupt == null) {
            corrupt = new Verdict.Corrupt(field, why);
        }
    }

    private static boolean isNameByte(byte b) {
        return (b >= 'a' && b <= 'z')
                || (b >= 'A' && b <= 'Z')
                || (b >= '0' && b <= '9')
                || b == '-';
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    private String name(int from, int to) {
        char[] name = new char[to - from];
        for (int i = from; i < to; i++) {
            byte b = text[i];
            name[i - from] = (char) (b >= 'A' && b <= 'Z' ? b + 32 : b);
        }
        return new String(name);
    }

    private void unknown(String name, String value) {
        if (name.startsWith("must-") && future == null) {
            future = name;
        }
        kept.add(new KeptField(name, value));
    }

    private void known(Field field, int line, int from, int to) {
        switch (field) {
            case VERSION -> version = (int) number(from, to, 1, MAX_VERSION);
            case FORMAT -> number(from, to, 1, Integer.MAX_VALUE);
            case ACTION -> action = string(from, to);
            case DISPATCHER -> dispatcher = string(from, to);
            case TAG -> builder.tag(string(from, to));
            case TYPE -> builder.type(EnvelopeWords.type(string(from, to)));
            case SMTPNAME -> builder.smtpname(from == to ? serverName : string(from, to));
            case HELO -> builder.helo(nonEmpty(from, to));
            case HOSTNAME -> builder.hostname(nonEmpty(from, to));
            case USERNAME -> builder.username(string(from, to));
            case ERRORLINE -> builder.errorline(errorline(from, to));
            case SOCKADDR -> builder.sockaddr(sockaddr(string(from, to)));
            case SENDER -> builder.sender(address(from, to));
            case RCPT -> builder.rcpt(address(from, to));
            case DEST -> builder.dest(address(from, to));
            case CTIME -> {
                ctime = number(from, to, 0, now + TEN_YEARS);
                builder.ctime(ctime);
            }
            case LAST_TRY -> {
                lastTry = number(from, to, 0, Long.MAX_VALUE);
                builder.lastTry(lastTry);
            }
            case LAST_BOUNCE -> builder.lastBounce(number(from, to, 0, Long.MAX_VALUE));
            case EXPIRE, TTL -> builder.expire(seconds(from, to));
            case RETRY -> builder.retry((int) number(from, to, 0, Envelope.MAX_RETRY));
            case FLAGS -> builder.flags(EnvelopeWords.flags(string(from, to)));
            case MTA_RELAY -> relay = string(from, to);
            case MTA_RELAY_FLAGS -> relayFlags = string(from, to);
            case END -> end(line, from, to);
            default -> perType(field, from, to);
        }
    }

    private void perType(Field field, int from, int to) {
        switch (field) {
            case DSN_NOTIFY -> builder.dsnNotify((int) number(from, to, 0, 255));
            case DSN_RET -> builder.dsnRet(EnvelopeWords.ret(string(from, to)));
            case DSN_ENVID -> builder.dsnEnvid(string(from, to));
            case DSN_ORCPT -> builder.dsnOrcpt(string(from, to));
            case ESC_CLASS -> builder.escClass((int) number(from, to, 0, 255));
            case ESC_CODE -> builder.escCode((int) number(from, to, 0, 255));
            case MDA_BUFFER -> builder.mdaBuffer(string(from, to));
            case MDA_METHOD -> builder.mdaMethod(EnvelopeWords.method(string(from, to)));
            case MDA_USER -> builder.mdaUser(string(from, to));
            case MDA_USERTABLE -> builder.mdaUsertable(string(from, to));
            case MDA_DELIVERY_USER -> builder.mdaDeliveryUser(string(from, to));
            case MDA_EXEC -> builder.mdaExec(string(from, to));
            case MDA_SUBADDRESS -> builder.mdaSubaddress(string(from, to));
            case MDA_RCPT_TO -> builder.mdaRcptTo(address(from, to));
            case MTA_RELAY_TABLE -> builder.relayTable(string(from, to));
            case MTA_RELAY_AUTH -> builder.relayAuth(string(from, to));
            case MTA_RELAY_SOURCE -> builder.relaySource(string(from, to));
            case MTA_RELAY_HELOTABLE -> builder.relayHelotable(string(from, to));
            case MTA_RELAY_CERT -> builder.relayCert(string(from, to));
            case MTA_RELAY_CA -> builder.relayCa(string(from, to));
            case MTA_RELAY_HELONAME -> builder.relayHeloname(string(from, to));
            case BOUNCE_TYPE -> builder.bounceType(EnvelopeWords.bounce(string(from, to)));
            case BOUNCE_DELAY -> builder.bounceDelay(seconds(from, to));
            case BOUNCE_EXPIRE, BOUNCE_TTL -> builder.bounceExpire(seconds(from, to));
            case NOTICE -> builder.notice(Msgid.parse(string(from, to)));
            case EXPAND -> builder.mdaRaw(EnvelopeWords.isRaw(string(from, to)));
            case REMOTE_MTA -> builder.remoteMta(string(from, to));
            case NEED -> builder.needs(EnvelopeWords.needs(string(from, to)));
            case HOLD -> builder.hold(EnvelopeWords.hold(string(from, to)));
            case CONTENT -> builder.content(EnvelopeWords.content(string(from, to)));
            default -> throw new IllegalStateException(field.text());
        }
    }

    private void end(int line, int from, int to) {
        endLine = line;
        isEndLast = true;
        String value = string(from, to);
        try {
            isEndSumSound = value.length() == 8;
            endSum = Integer.parseUnsignedInt(value, 16);
        } catch (NumberFormatException e) {
            isEndSumSound = false;
        }
    }

    /** What can be known only when all lines are read, for their order is free. */
    private void finish() {
        if ((seen & Field.SMTPNAME.bit()) == 0) {
            builder.smtpname(serverName);
        }
        if (version == 3) {
            builder.action(dispatcher);
            keep(Field.ACTION, action);
        } else {
            builder.action(action);
            keep(Field.DISPATCHER, dispatcher);
        }
        if (version == 1) {
            VersionOne.upgrade(builder, kept, relay, relayFlags);
        } else {
            builder.relay(relay).relayFlags(EnvelopeWords.relayFlags(relayFlags));
        }
        builder.version(version == 3 ? 3 : 2).kept(kept);
    }

    private void keep(Field ofOtherVersion, String value) {
        if ((seen & ofOtherVersion.bit()) != 0) {
            kept.add(new KeptField(ofOtherVersion.text(), value));
        }
    }

    private String string(int from, int to) {
        return EscapedUtf8.decode(text, from, to - from);
    }

    private String nonEmpty(int from, int to) {
        if (from == to) {
            throw new IllegalArgumentException("empty");
        }
        return string(from, to);
    }

    /** Checked here, for the builder would cut it to what fits. */
    private String errorline(int from, int to) {
        if (to - from > EnvelopeText.MAX_ERRORLINE) {
            throw new IllegalArgumentException("too long");
        }
        return string(from, to);
    }

    private MailAddress address(int from, int to) {
        MailAddress address = MailAddress.split(string(from, to));
        Values.address("address", address);
        return address;
    }

    /** All three spellings are read in every version. */
    private static String sockaddr(String value) {
        String address = value;
        if (value.regionMatches(true, 0, "IPv6:", 0, 5)) {
            address = value.substring(5);
        } else if (value.startsWith("[") && value.endsWith("]")) {
            address = value.substring(1, value.length() - 1);
        }
        return Values.sockaddr(address);
    }

    private Duration seconds(int from, int to) {
        return Duration.ofSeconds(number(from, to, 0, Values.MAX_SECONDS));
    }

    /** Decimal digits only: no sign, no blank. */
    private long number(int from, int to, long min, long max) {
        if (from == to || to - from > 18) {
            throw new IllegalArgumentException("not a number");
        }
        long n = 0;
        for (int i = from; i < to; i++) {
            byte b = text[i];
            if (b < '0' || b > '9') {
                throw new IllegalArgumentException("not a number");
            }
            n = n * 10 + b - '0';
        }
        if (n < min || n > max) {
            throw new IllegalArgumentException("out of range");
        }
        return n;
    }
}
