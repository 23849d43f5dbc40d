package smtpd.imsg;

import java.util.List;
import smtpd.envelope.Evpid;

/** What the queue answers control. */
public sealed interface QueueToControl extends ToControl {

    /**
     * One envelope of a listing.
     *
     * @param state bits of EnvelopeState
     * @param time next try (pending), or since when (in flight, held), Unix seconds
     * @param text stored envelope
     */
    record EnvelopeRow(Evpid evpid, int state, long time, int retry, long holdKey, byte[] text) {}

    record EnvelopeLine(@Max(256) List<EnvelopeRow> rows) implements QueueToControl, ControlToCtl {}

    /**
     * A piece, at most 32 KiB, of an envelope's or message's text; more parts follow with flag 2.
     */
    record MessageContent(@Max(32768) byte[] bytes) implements QueueToControl, ControlToCtl {}
}
