package smtpd.mta.route;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One message for one relay: the envelopes that go out together. */
public final class Task {

    /** At most so many envelopes; a further one makes a further task. */
    static final int MAX_LETTERS = 1_000;

    /**
     * What makes envelopes of one message one transaction.
     *
     * @param sender after rewriting, empty = null sender
     * @param others relays to go to when this one cannot be reached, in that order
     */
    public record Key(
            Message message,
            String sender,
            String ret,
            String envid,
            boolean eightBit,
            boolean utf8,
            List<RelayKey> others) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Key key
                    && message.id().equals(key.message.id())
                    && sender.equals(key.sender)
                    && ret.equals(key.ret)
                    && envid.equals(key.envid)
                    && eightBit == key.eightBit
                    && utf8 == key.utf8
                    && others.equals(key.others);
        }

        @Override
        public int hashCode() {
            return message.id().hashCode() * 31 + sender.hashCode();
        }

        /** The same at the next relay. */
        Key next() {
            return new Key(
                    message, sender, ret, envid, eightBit, utf8, others.subList(1, others.size()));
        }
    }

    private final Relay relay;
    private final Key key;
    private final List<Letter> letters = new ArrayList<>();
    private final Map<Host, Long> tooBigAt = new HashMap<>(2);
    private int moves;
    private boolean returned;
    private boolean running;

    Task(Relay relay, Key key) {
        this.relay = relay;
        this.key = key;
    }

    Relay relay() {
        return relay;
    }

    public Key key() {
        return key;
    }

    public Message message() {
        return key.message();
    }

    List<Letter> letters() {
        return letters;
    }

    /** New mail for few goes before retries and big lists, in turns. */
    boolean isFast() {
        return letters.getFirst().retry() == 0 && letters.size() <= 16;
    }

    /** Sessions that ended before they could take it; bounded, else it would wander for ever. */
    int moved() {
        return ++moves;
    }

    boolean isReturned() {
        return returned;
    }

    void returned(boolean on) {
        returned = on;
    }

    boolean isRunning() {
        return running;
    }

    void running(boolean on) {
        running = on;
    }

    void tooBigAt(Host host, long limit) {
        tooBigAt.put(host, limit);
    }

    boolean isTooBigAt(Host host) {
        return tooBigAt.containsKey(host);
    }
}
