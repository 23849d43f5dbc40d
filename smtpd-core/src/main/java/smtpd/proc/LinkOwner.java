package smtpd.proc;

import smtpd.imsg.Message;

/** Who acts on what comes over a {@link Link}. All calls happen on the link's event loop. */
public interface LinkOwner {

    void received(Frame frame, Message message);

    /** Everything that the peer sent has been passed on; the link is away now. */
    void closed(Link link);

    /** The peer sent what is no frame of this edge; {@link #closed} follows. */
    void bad(Link link, String reason);
}
