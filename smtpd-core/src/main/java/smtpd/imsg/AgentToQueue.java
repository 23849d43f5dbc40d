package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/**
 * What mta and mda tell the queue. Results carry {@code seq}, one counter per generation of the
 * agent, and are kept by the agent until ResultsStored acknowledges them.
 */
public interface AgentToQueue {

    /**
     * @param esc enhanced status code
     * @param text the last reply, or what was done
     * @param dsnCapable the next hop passes DSN on (RFC 3461)
     * @param remote {@code name [address]} of the remote host, empty for local delivery
     */
    record Delivered(
            long seq,
            List<Evpid> evpids,
            @Max(255) String esc,
            @Max(2047) String text,
            boolean dsnCapable,
            @Max(600) String remote)
            implements MtaToQueue, MdaToQueue {}

    record Deferred(
            long seq,
            List<Evpid> evpids,
            @Max(255) String esc,
            @Max(2047) String text,
            @Max(255) String reason,
            @Max(600) String remote)
            implements MtaToQueue, MdaToQueue {}

    record Failed(
            long seq,
            List<Evpid> evpids,
            @Max(255) String esc,
            @Max(2047) String text,
            @Max(255) String reason,
            @Max(600) String remote)
            implements MtaToQueue, MdaToQueue {}

    record Looped(long seq, List<Evpid> evpids) implements MtaToQueue, MdaToQueue {}

    /** Above high water: give them back, no try, no seq. */
    record Hold(long key, List<Evpid> evpids) implements MtaToQueue, MdaToQueue {}

    /** Below low water. {@code count} 0 = all, -1 = all as if deferred. */
    record Release(long key, int count) implements MtaToQueue, MdaToQueue {}

    /** What this agent holds, results not yet acknowledged included; parts by flag 2. */
    record InFlightReport(List<Evpid> evpids) implements MtaToQueue, MdaToQueue {}

    /**
     * Content of a message that came with {@code ASK}, or was given up. Answered by MessageFile.
     */
    record OpenMessage(Msgid msgid) implements MtaToQueue, MdaToQueue {}

    /** Credit given back. */
    record ContentReleased(int descriptors, long bytes) implements MtaToQueue, MdaToQueue {}
}
