package smtpd.queue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import smtpd.envelope.Envelope;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.ContentFile;

/** One transaction of one SMTP session before its commit: in memory alone. */
final class Transaction {

    /**
     * (session, number): what smtp calls it.
     *
     * @param sid id of the session
     * @param no number of the transaction in it
     */
    record Key(long sid, int no) {}

    /** An envelope of a set, with the low half of the id it will have. */
    record Staged(int low, Envelope envelope) {}

    final Key key;
    final Msgid msgid;
    final Map<Integer, List<Staged>> sets = new HashMap<>();
    final Map<Integer, List<byte[]>> arriving = new HashMap<>();
    ContentFile.Opened file;
    long bytes;

    Transaction(Key key, Msgid msgid) {
        this.key = key;
        this.msgid = msgid;
    }

    /** Adds a part of a set; returns the whole set when this was the last part, else null. */
    List<byte[]> arrive(int rcptNo, List<byte[]> part, boolean more) {
        for (byte[] text : part) {
            bytes += text.length;
        }
        if (!more && !arriving.containsKey(rcptNo)) {
            return part;
        }
        List<byte[]> all = arriving.computeIfAbsent(rcptNo, _ -> new ArrayList<>());
        all.addAll(part);
        if (more) {
            return null;
        }
        arriving.remove(rcptNo);
        return all;
    }
}
