package smtpd.lka.dns;

import java.util.ArrayList;
import java.util.List;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** Takes from a reply what answers the question, and nothing that was not asked. */
final class AnswerReader {

    private static final int MAX_ALIASES = 8;

    private AnswerReader() {}

    /**
     * @param isTrusted the server's word about DNSSEC counts
     */
    static Answer read(Question question, Message reply, boolean isTrusted) {
        boolean secure = isTrusted && reply.getHeader().getFlag(Flags.AD);
        List<Record> section = reply.getSection(Section.ANSWER);
        Name name = question.name();
        long ttl = Long.MAX_VALUE;
        int aliases = 0;
        CNAMERecord alias = alias(section, name);
        while (alias != null && question.type() != Type.CNAME) {
            if (++aliases > MAX_ALIASES) {
                return Answer.empty(Answer.Status.FAILED, secure, 0);
            }
            ttl = Math.min(ttl, alias.getTTL());
            name = alias.getTarget();
            alias = alias(section, name);
        }
        List<Record> found = new ArrayList<>(section.size());
        for (Record record : section) {
            if (record.getType() == question.type() && record.getName().equals(name)) {
                found.add(record);
                ttl = Math.min(ttl, record.getTTL());
            }
        }
        if (!found.isEmpty()) {
            return new Answer(Answer.Status.OK, found, secure, ttl);
        }
        Answer.Status none =
                reply.getRcode() == Rcode.NXDOMAIN ? Answer.Status.NO_NAME : Answer.Status.NO_DATA;
        return Answer.empty(none, secure, Math.min(ttl, negativeTtl(reply)));
    }

    private static CNAMERecord alias(List<Record> section, Name name) {
        for (Record record : section) {
            if (record instanceof CNAMERecord cname && cname.getName().equals(name)) {
                return cname;
            }
        }
        return null;
    }

    /** RFC 2308 5: without an SOA nothing says how long, so it is kept as short as possible. */
    private static long negativeTtl(Message reply) {
        for (Record record : reply.getSection(Section.AUTHORITY)) {
            if (record instanceof SOARecord soa) {
                return Math.min(soa.getTTL(), soa.getMinimum());
            }
        }
        return 0;
    }
}
