package smtpd.proc;

import smtpd.imsg.FrameHeader;
import smtpd.imsg.Message;

/**
 * The sending side of an edge: takes only what its receiver may hear from this process. Belongs to
 * the event loop.
 *
 * @param <O> sealed interface of this direction
 */
public final class Edge<O extends Message> {

    private final Link link;

    Edge(Link link) {
        this.link = link;
    }

    /**
     * Queues one frame; it leaves at the end of this turn of the loop.
     *
     * @param id sid or req, 0 for a notice
     * @return false when the peer is away: nothing is queued, take the temporary outcome at once
     */
    public boolean send(long id, O message) {
        return link.send(id, 0, 0, message, -1);
    }

    /** The same, with a descriptor that is passed and in any case closed here afterwards. */
    public boolean send(long id, O message, int fd) {
        return link.send(id, 0, 0, message, fd);
    }

    /** The same, and more parts of this message follow. */
    public boolean sendMore(long id, O message) {
        return link.send(id, 0, FrameHeader.MORE, message, -1);
    }

    /** One frame about a control client. */
    public boolean sendTo(int client, long id, O message) {
        return link.send(id, client, 0, message, -1);
    }

    /** One of several parts about a control client. */
    public boolean sendMoreTo(int client, long id, O message) {
        return link.send(id, client, FrameHeader.MORE, message, -1);
    }

    /**
     * False: nothing more is read from this peer, which sees congestion and waits. For moments
     * only: everything it says waits too.
     */
    public void reading(boolean on) {
        link.reading(on);
    }

    public boolean isUp() {
        return link.isUp();
    }

    /** Over 1 MiB waits: start no work towards this peer until it is under 256 KiB. */
    public boolean isCongested() {
        return link.isCongested();
    }
}
