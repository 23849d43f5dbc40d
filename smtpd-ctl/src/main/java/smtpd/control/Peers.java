package smtpd.control;

import java.util.Set;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.Role;

/** What {@link Requests} sends to other processes; false when one is away. */
interface Peers {

    /** All processes but parent and this one. */
    Set<Role> children();

    boolean tell(Role role, int client, long key, ControlToChild message);

    boolean showHolds(int client, long key);

    boolean holdNames(Role agent, int client, long key, ControlToMta.HoldNames message);
}
