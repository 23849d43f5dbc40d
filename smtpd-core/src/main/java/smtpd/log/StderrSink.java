package smtpd.log;

import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.Poll;
import smtpd.sys.SysException;

/** Lines to a descriptor, one write(2) for a batch: {@code 14:02:11.042 info <line>}. */
final class StderrSink implements Sink {
    private static final int BATCH_BYTES = 64 * 1024;
    private static final int PATIENCE_MILLIS = 1_000;

    private final int fd;
    private final ZoneId zone;
    private final byte[] batch = new byte[BATCH_BYTES];
    private final StringBuilder line = new StringBuilder(512);
    private int used;

    StderrSink(int fd, ZoneId zone) {
        this.fd = fd;
        this.zone = zone;
    }

    @Override
    public void put(int severity, long millis, String text) {
        line.setLength(0);
        LocalTime time = LocalTime.ofInstant(Instant.ofEpochMilli(millis), zone);
        two(time.getHour(), ':');
        two(time.getMinute(), ':');
        two(time.getSecond(), '.');
        int thousandths = time.getNano() / 1_000_000;
        line.append((char) ('0' + thousandths / 100));
        two(thousandths % 100, ' ');
        line.append(Severity.word(severity)).append(text).append('\n');
        if (used + line.length() > BATCH_BYTES) {
            flush();
        }
        used = Ascii.put(line, batch, used);
    }

    private void two(int number, char after) {
        line.append((char) ('0' + number / 10)).append((char) ('0' + number % 10)).append(after);
    }

    /** A terminal or pipe that takes nothing for a second loses the rest of the batch. */
    @Override
    public void flush() {
        int done = 0;
        while (done < used) {
            int count = Fd.tryWrite(fd, batch, done, used - done);
            if (count == -Errno.EAGAIN && isWritable()) {
                continue;
            }
            if (count < 0) {
                break;
            }
            done += count;
        }
        used = 0;
    }

    private boolean isWritable() {
        try {
            return Poll.one(fd, Poll.OUT, PATIENCE_MILLIS);
        } catch (SysException e) {
            return false;
        }
    }

    @Override
    public void close() {
        flush();
    }
}
