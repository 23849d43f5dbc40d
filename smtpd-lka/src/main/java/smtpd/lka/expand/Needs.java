package smtpd.lka.expand;

import java.util.EnumSet;
import java.util.Set;
import smtpd.envelope.Need;
import smtpd.mail.MailAddress;

/** The bits of a message's needs as what one of its envelopes needs. */
final class Needs {

    private Needs() {}

    /**
     * @param bits of {@link smtpd.imsg.Need}
     * @param dest decides where only some envelopes need SMTPUTF8
     */
    static Set<Need> of(int bits, MailAddress dest) {
        Set<Need> needs = EnumSet.noneOf(Need.class);
        if ((bits & smtpd.imsg.Need.EIGHT_BIT_MIME) != 0) {
            needs.add(Need.EIGHTBITMIME);
        }
        boolean utf8 = (bits & smtpd.imsg.Need.SMTPUTF8) != 0;
        boolean byAddress = (bits & smtpd.imsg.Need.SMTPUTF8_BY_ADDRESS) != 0;
        if (utf8 || (byAddress && !isAscii(dest.toString()))) {
            needs.add(Need.SMTPUTF8);
        }
        if ((bits & smtpd.imsg.Need.REQUIRE_TLS) != 0) {
            needs.add(Need.REQUIRETLS);
        }
        if ((bits & smtpd.imsg.Need.TLS_OPTIONAL) != 0) {
            needs.add(Need.TLSOPTIONAL);
        }
        return needs;
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(c -> c < 0x80);
    }
}
