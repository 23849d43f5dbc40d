package smtpd.imsg;

import java.util.Arrays;
import smtpd.envelope.Evpid;

/**
 * An envelope as it lies in the queue.
 *
 * @param evpid its id
 * @param text the text of one envelope file, at most 16 KiB
 */
public record StoredEnvelope(Evpid evpid, byte[] text) {

    @Override
    public boolean equals(Object other) {
        return other instanceof StoredEnvelope e
                && evpid.equals(e.evpid)
                && Arrays.equals(text, e.text);
    }

    @Override
    public int hashCode() {
        return evpid.hashCode();
    }
}
