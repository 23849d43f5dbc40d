package smtpd.mta.route;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.mta.session.Content;

/** One message of the queue, its content shared by the tasks of all its relays. */
public final class Message {

    private final Msgid id;
    private final long size;
    private final long lines;
    private final Set<Task> tasks = new LinkedHashSet<>();
    private Content content;
    private boolean wanted;
    private int unplaced;

    /**
     * @param size bytes of the content as stored
     * @param lines number of LF in it
     */
    public Message(Msgid id, long size, long lines) {
        this.id = id;
        this.size = size;
        this.lines = lines;
    }

    public Msgid id() {
        return id;
    }

    /** Bytes as stored. */
    public long size() {
        return size;
    }

    /** Bytes with CR LF line ends. */
    long wireSize() {
        return size + lines;
    }

    /** Null while it is not here. */
    public Content content() {
        return content;
    }

    public void content(Content content) {
        this.content = content;
        this.wanted = false;
    }

    /** True when a question for the content is open. */
    public boolean isWanted() {
        return wanted;
    }

    /** The content is on its way: no need to ask. */
    public void expected() {
        wanted = true;
    }

    void wanted(boolean on) {
        wanted = on;
    }

    Set<Task> tasks() {
        return tasks;
    }

    /** Adds the ids of all envelopes of it that wait for a result. */
    public void addTo(List<Evpid> evpids) {
        for (Task task : tasks) {
            for (Letter letter : task.letters()) {
                evpids.add(letter.evpid());
            }
        }
    }

    /** So many envelopes more (or less) of it wait to be told their relay. */
    public void unplaced(int more) {
        unplaced += more;
    }

    /** True when no task needs it any more, and none will. */
    public boolean isDone() {
        return tasks.isEmpty() && unplaced == 0;
    }
}
