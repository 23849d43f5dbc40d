package smtpd.queue.fs;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import smtpd.queue.backend.FileOps;
import smtpd.queue.backend.SyncMode;
import smtpd.sys.SysException;

/** When what was written reaches the disk. Blocking, on writer threads. */
interface Syncs {

    /** A file is complete. */
    default void file(int fd) throws SysException {}

    /** Names in a folder changed. */
    default void folder(int fd) throws SysException {}

    /** Returns when everything written before the call is durable. */
    default void barrier() throws SysException {}

    static Syncs of(SyncMode mode, FileOps files, Spool spool) {
        return switch (mode) {
            case NONE -> new Syncs() {};
            case GROUP -> new GroupSync(files, spool);
            case FILE ->
                    new Syncs() {
                        @Override
                        public void file(int fd) throws SysException {
                            files.fdatasync(fd);
                        }

                        @Override
                        public void folder(int fd) throws SysException {
                            files.fsync(fd);
                        }
                    };
        };
    }

    /** One sync of the file system for everyone who waits; the first of them leads. */
    final class GroupSync implements Syncs {

        private static final class Batch {
            private boolean isDone;
            private SysException error;
        }

        private final FileOps files;
        private final Spool spool;

        /** Guards the fields below and those of the batches. */
        private final ReentrantLock lock = new ReentrantLock();

        private final Condition done = lock.newCondition();

        private Batch waiting = new Batch();
        private boolean isRunning;

        GroupSync(FileOps files, Spool spool) {
            this.files = files;
            this.spool = spool;
        }

        @Override
        public void barrier() throws SysException {
            Batch mine;
            boolean isLeader = false;
            lock.lock();
            try {
                mine = waiting;
                while (!mine.isDone && !isLeader) {
                    if (isRunning) {
                        done.awaitUninterruptibly();
                    } else {
                        isRunning = true;
                        isLeader = true;
                        waiting = new Batch();
                    }
                }
            } finally {
                lock.unlock();
            }
            if (isLeader) {
                lead(mine);
            }
            if (mine.error != null) {
                throw new SysException("syncfs", mine.error.errno());
            }
        }

        private void lead(Batch batch) {
            SysException error = null;
            try {
                files.syncfs(spool.queue());
            } catch (SysException e) {
                error = e;
            } finally {
                lock.lock();
                try {
                    batch.isDone = true;
                    batch.error = error;
                    isRunning = false;
                    done.signalAll();
                } finally {
                    lock.unlock();
                }
            }
        }
    }
}
