package smtpd.queue.ram;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import smtpd.envelope.Evpid;
import smtpd.queue.backend.BackendContract;
import smtpd.queue.backend.QueueBackend;

class RamQueueTest extends BackendContract {

    @Override
    protected QueueBackend open() throws Exception {
        RamQueue ram = new RamQueue(fitness);
        ram.open(events);
        return ram;
    }

    @Override
    protected long messages() {
        return ((RamQueue) queue).messages();
    }

    @Override
    protected long envelopes() {
        return ((RamQueue) queue).envelopes();
    }

    @Override
    protected void everythingIsGone() {
        assertThat(((RamQueue) queue).bytes()).isZero();
    }

    /** The C original walks the wrong tree when it deletes, and miscounts updates. */
    @Test
    void sizesReturnToZeroAfterUpdatesAndDeletes() {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        get(queue.update(text(ID, 1, "a much longer text than before")));
        get(queue.quarantine(evp(ID, 2), "bad"));
        get(queue.restore(ID));
        assertThat(((RamQueue) queue).bytes()).isEqualTo(7 + 30 + 3);
        get(queue.delete(List.of(evp(ID, 1), evp(ID, 2))));
        assertThat(((RamQueue) queue).bytes()).isZero();
        assertThat(get(queue.walk().next(10))).isEmpty();
        assertThat(get(queue.load(new Evpid(77)))).isNotNull();
    }
}
