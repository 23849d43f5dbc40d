package smtpd.queue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    record Staged(int low, Envelope envelope, byte[] text) {}

    /** A set whose parts are still coming. */
    static final class Arriving {
        final List<byte[]> texts = new ArrayList<>();
        long bytes;

        /** Too much came: the rest is counted out and the set refused at its end. */
        boolean isRefused;
    }

    final Key key;

    /** NONE when no id was to be had: everything in this transaction is refused. */
    final Msgid msgid;

    final Map<Integer, List<Staged>> sets = new HashMap<>();
    final Map<Integer, Arriving> arriving = new HashMap<>();
    final Set<Integer> lows = new HashSet<>();
    boolean isFileAsked;
    ContentFile.Opened file;
    long bytes;

    Transaction(Key key, Msgid msgid) {
        this.key = key;
        this.msgid = msgid;
    }
}
