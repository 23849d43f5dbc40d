package smtpd.queue;

import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.imsg.QueueToSmtp;
import smtpd.imsg.QueueToSmtp.StorageReason;
import smtpd.proc.Edge;
import smtpd.queue.backend.QueueBackend;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/** Tells smtp when mail can be stored and when not, so that MAIL is answered without a hop. */
final class StorageWatch {

    private static final Logger LOG = LoggerFactory.getLogger(StorageWatch.class);

    private final QueueBackend backend;
    private final Edge<QueueToSmtp> smtp;
    private final Stats stats;
    private boolean accepting = true;

    StorageWatch(QueueBackend backend, Edge<QueueToSmtp> smtp, Stats stats) {
        this.backend = backend;
        this.smtp = smtp;
        this.stats = stats;
    }

    /** Once a second and when the store says that something changed. */
    void look() {
        QueueBackend.Health health = backend.health();
        stats.set(Stat.QUEUE_DISK_FREE, health.freeBytes());
        stats.set(Stat.QUEUE_INODE_FREE, health.freeInodes());
        if (health.accepting() != accepting) {
            accepting = health.accepting();
            if (accepting) {
                LOG.info("event=storage-back");
            } else {
                LOG.error("event=storage-unavailable reason={}", health.reason());
            }
            tell();
        }
    }

    void tell() {
        QueueBackend.Health health = backend.health();
        smtp.send(0, new QueueToSmtp.StateNote(health.accepting(), reason(health.reason())));
    }

    private static StorageReason reason(String word) {
        try {
            return word.isEmpty()
                    ? StorageReason.NONE
                    : StorageReason.valueOf(word.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            return StorageReason.STORAGE;
        }
    }
}
