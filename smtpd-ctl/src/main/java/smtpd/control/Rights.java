package smtpd.control;

import java.util.OptionalInt;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToParent;
import smtpd.imsg.CtlToControl;
import smtpd.sys.Sockets;

/**
 * Who may ask what. Numbers alone count: several names may share uid 0.
 *
 * @param owner uid that counts as root because it started this private instance; -1 for none
 * @param monitors group whose members may look at figures, when there is one
 */
record Rights(int owner, OptionalInt monitors) {

    static final Rights ROOT_ONLY = new Rights(-1, OptionalInt.empty());

    boolean isAdmin(Sockets.Peer peer) {
        return peer.uid() == 0 || (owner >= 0 && peer.uid() == owner);
    }

    boolean allows(Sockets.Peer peer, CtlToControl request) {
        if (isAdmin(peer)) {
            return true;
        }
        if (monitors.isEmpty() || peer.gid() != monitors.getAsInt()) {
            return false;
        }
        return switch (request) {
            case CtlToControl.ShowStats _,
                    CtlToControl.ShowStatus _,
                    ControlToChild.ShowProfile _,
                    ControlToParent.ShowProcesses _,
                    ControlToMta.ShowMta _ ->
                    true;
            default -> false;
        };
    }
}
