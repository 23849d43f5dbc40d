package smtpd.lka.dns;

import java.util.List;
import org.xbill.DNS.Record;

/**
 * What came of a question.
 *
 * @param records those of the asked type, after aliases were followed; empty unless {@code OK}
 * @param secure a validating resolver on this host vouched for it (RFC 4035 3.2.3)
 * @param ttlSeconds how long it may be kept
 */
public record Answer(Status status, List<Record> records, boolean secure, long ttlSeconds) {

    /** How a question ended. */
    public enum Status {
        OK,
        /** The name exists and has nothing of this type. */
        NO_DATA,
        /** NXDOMAIN. */
        NO_NAME,
        /** The server does not know this kind of question (RCODE 4). */
        NOT_IMPLEMENTED,
        /** No answer that could be used: says nothing about the name. */
        FAILED
    }

    public Answer {
        records = List.copyOf(records);
    }

    static Answer empty(Status status, boolean secure, long ttlSeconds) {
        return new Answer(status, List.of(), secure, ttlSeconds);
    }
}
