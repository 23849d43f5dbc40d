package smtpd.proc;

import smtpd.imsg.ChildToControl;
import smtpd.imsg.Message;
import smtpd.imsg.Role;
import smtpd.log.Trace;

/**
 * What {@code trace mproc} shows of the sending half of an edge and {@code trace imsg} of the
 * receiving half. Names and sizes alone: what is in the fields may be secret, and is mail.
 */
final class LinkTrace {

    private final String sends;
    private final String hears;

    LinkTrace(Role self, Role peer) {
        this.sends = self.title() + " -> " + peer.title() + " : ";
        this.hears = self.title() + " <- " + peer.title() + ": ";
    }

    void enabled(boolean isUp) {
        if (Trace.MPROC.isOn()) {
            Trace.MPROC.line(0, "", sends + (isUp ? "enabled" : "disabled"));
        }
    }

    /**
     * @param fd that goes with it, -1 for none
     */
    void sent(long id, Message message, int length, int fd) {
        if (Trace.MPROC.isOn()) {
            String type = message.getClass().getSimpleName();
            Trace.MPROC.line(id, "out", sends + length + ' ' + type + descriptor(" fd=", fd));
        }
    }

    void flushed(int bytes) {
        if (Trace.MPROC.isOn()) {
            Trace.MPROC.line(0, "out", sends + bytes + " (flush)");
        }
    }

    /** Counters come every second from everybody and would bury the rest. */
    void received(Frame frame, Message message, int length) {
        if (Trace.IMSG.isOn() && !(message instanceof ChildToControl.StatDelta)) {
            String type = message.getClass().getSimpleName();
            Trace.IMSG.line(
                    frame.id(),
                    "in",
                    hears + type + " (len=" + length + descriptor(", fd=", frame.fd()) + ')');
        }
    }

    private static String descriptor(String key, int fd) {
        return fd < 0 ? "" : key + fd;
    }
}
