package smtpd.queue;

import smtpd.conf.Config;
import smtpd.conf.QueueSettings;
import smtpd.conf.QueueSettings.Space;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Verdict;
import smtpd.queue.backend.BackendException;
import smtpd.queue.backend.Fitness;
import smtpd.queue.backend.NullQueue;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.SpoolConfig;
import smtpd.queue.backend.SyncMode;
import smtpd.queue.fs.FsQueue;
import smtpd.queue.ram.RamQueue;

/** The store that a configuration names. */
final class Backends {

    /** What comes back from {@code corrupt/} must be an envelope. */
    private static final Fitness READABLE =
            (_, stored) ->
                    EnvelopeText.parse(stored) instanceof Verdict.Usable
                            ? null
                            : "it is no readable envelope";

    private Backends() {}

    static QueueBackend of(Config config) throws BackendException {
        QueueSettings settings = config.queue();
        return switch (settings.backend()) {
            case FS -> new FsQueue(spool(config), READABLE);
            case RAM -> new RamQueue(READABLE);
            case NULL -> new NullQueue();
            case LOG -> throw new BackendException("queue backend log is not in this release");
        };
    }

    private static SpoolConfig spool(Config config) throws BackendException {
        SyncMode sync =
                switch (config.queue().sync()) {
                    case FILE -> SyncMode.FILE;
                    case GROUP -> SyncMode.GROUP;
                    case NONE -> SyncMode.NONE;
                    case JOURNAL ->
                            throw new BackendException("queue sync journal is not in this release");
                };
        SpoolConfig usual = SpoolConfig.of(config.instance().spool(), sync);
        return switch (config.queue().space()) {
            case Space.Percent p ->
                    new SpoolConfig(
                            usual.root(), sync, usual.writers(), usual.readers(), p.percent(), 0);
            case Space.Bytes b ->
                    new SpoolConfig(
                            usual.root(), sync, usual.writers(), usual.readers(), 0, b.bytes());
        };
    }
}
