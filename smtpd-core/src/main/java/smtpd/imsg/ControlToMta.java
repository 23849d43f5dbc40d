package smtpd.imsg;

import java.util.List;

/** What control asks mta. */
public sealed interface ControlToMta extends ToMta {

    enum MtaView {
        HOSTS,
        RELAYS,
        ROUTES
    }

    /**
     * Rows in ShowRow, at most 256 a request, keys above {@code from}; ControlDone carries the
     * last.
     */
    record ShowMta(MtaView what, long from) implements ControlToMta, CtlToControl {}

    /** Clears flags, errors and penalty of one route, 0 = all; ControlDone carries the number. */
    record EnableRoute(long id) implements ControlToMta, CtlToControl {}

    /** Text of hold keys, answered by ShowRow (key, text) and ControlDone. */
    record HoldNames(List<Long> keys) implements ControlToMta, ControlToMda {}
}
