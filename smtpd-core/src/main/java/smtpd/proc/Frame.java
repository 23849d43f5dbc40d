package smtpd.proc;

import smtpd.imsg.Role;

/**
 * What stands around a received record.
 *
 * @param from the peer that sent it
 * @param id sid or req of the asker, 0 for notices
 * @param peer number of a control client, else 0
 * @param more further parts of the same message follow
 * @param fd the descriptor that came along, owned by the receiver from now on; -1 for none
 */
public record Frame(Role from, long id, int peer, boolean more, int fd) {

    /** A frame without client, parts or descriptor. */
    public static Frame plain(Role from, long id) {
        return new Frame(from, id, 0, false, -1);
    }
}
