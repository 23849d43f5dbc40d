package smtpd.mta.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

/** Writes commands, with the parameters that this peer understands. */
final class Commands {

    private Commands() {}

    static void line(ByteBuf out, String verb, String argument) {
        ByteBufUtil.writeAscii(out, verb);
        ByteBufUtil.writeUtf8(out, argument);
        out.writeByte('\r').writeByte('\n');
    }

    /**
     * @param plain leave out what is optional: the peer choked on it
     */
    static void mail(ByteBuf out, Mail mail, Extensions offered, boolean plain) {
        ByteBufUtil.writeAscii(out, "MAIL FROM:<");
        ByteBufUtil.writeUtf8(out, mail.sender());
        out.writeByte('>');
        if (offered.smtpUtf8() && mail.utf8()) {
            ByteBufUtil.writeAscii(out, " SMTPUTF8");
        }
        if (!plain) {
            if (offered.sizeOffered()) {
                ByteBufUtil.writeAscii(out, " SIZE=");
                ByteBufUtil.writeAscii(out, Long.toString(mail.size()));
            }
            if (offered.eightBitMime() && mail.eightBit()) {
                ByteBufUtil.writeAscii(out, " BODY=8BITMIME");
            }
            if (offered.dsn()) {
                parameter(out, " RET=", mail.ret());
                parameter(out, " ENVID=", mail.envid());
            }
        }
        out.writeByte('\r').writeByte('\n');
    }

    /** True when {@link #mail} would say more than the address. */
    static boolean hasOptional(Mail mail, Extensions offered) {
        return offered.sizeOffered()
                || (offered.eightBitMime() && mail.eightBit())
                || (offered.dsn() && !(mail.ret().isEmpty() && mail.envid().isEmpty()));
    }

    static void rcpt(ByteBuf out, Recipient recipient, Extensions offered) {
        ByteBufUtil.writeAscii(out, "RCPT TO:<");
        ByteBufUtil.writeUtf8(out, recipient.address());
        out.writeByte('>');
        if (offered.dsn()) {
            parameter(out, " NOTIFY=", recipient.dsnNotify());
            parameter(out, " ORCPT=", recipient.orcpt());
        }
        out.writeByte('\r').writeByte('\n');
    }

    private static void parameter(ByteBuf out, String name, String value) {
        if (!value.isEmpty() && isSafe(value) && value.indexOf(' ') < 0) {
            ByteBufUtil.writeAscii(out, name);
            ByteBufUtil.writeUtf8(out, value);
        }
    }

    /** False when the text could end the path, or the line, it is written into. */
    static boolean isSafe(String text) {
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x20 || c == 0x7f) {
                return false;
            }
            if (c == '\\' && quoted) {
                i++;
                if (i == text.length() || text.charAt(i) < 0x20) {
                    return false;
                }
            } else if (c == '"') {
                quoted = !quoted;
            } else if (!quoted && (c == '<' || c == '>' || c == ' ')) {
                return false;
            }
        }
        return !quoted;
    }
}
