package smtpd.queue.fs;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import smtpd.sys.SysException;

/** {@code purge/}: what an earlier life left behind, removed a slice at a time. */
final class Trash {

    private static final int TRIES = 20;

    private final Store store;
    private final RandomGenerator random;
    private volatile boolean isFull = true;

    Trash(Store store, RandomGenerator random) {
        this.store = store;
        this.random = random;
    }

    /** Moves every entry of a folder here. */
    void empty(int folder, String path) throws SysException {
        List<String> names = new ArrayList<>();
        int fresh = store.files.open(folder, ".", Spool.FOLDER, 0);
        try {
            store.files.list(fresh, names::add);
        } finally {
            store.closeQuietly(fresh);
        }
        for (String name : names) {
            try {
                take(folder, name);
            } catch (SysException e) {
                store.problems.add("leftover", "file=" + path + "/" + name, e.getMessage());
            }
        }
    }

    void take(int folder, String name) throws SysException {
        SysException last = null;
        for (int i = 0; i < TRIES; i++) {
            String target = Long.toString(random.nextLong(Long.MAX_VALUE));
            try {
                store.files.renameNew(folder, name, store.spool.purge(), target);
                isFull = true;
                return;
            } catch (SysException e) {
                last = e;
            }
        }
        throw last;
    }

    /** Removes at most so many entries; the rest another time. */
    void purge(int most) throws SysException {
        if (!isFull) {
            return;
        }
        int[] left = {most};
        isFull = false;
        int fd = store.files.open(store.spool.purge(), ".", Spool.FOLDER, 0);
        try {
            if (!clear(fd, left)) {
                isFull = true;
            }
        } finally {
            store.closeQuietly(fd);
        }
    }

    private boolean clear(int folder, int[] left) throws SysException {
        List<String> names = new ArrayList<>();
        store.files.list(folder, names::add);
        for (String name : names) {
            if (left[0]-- <= 0) {
                return false;
            }
            if (store.files.lstat(folder, name).isDirectory()) {
                int inner = store.files.open(folder, name, Spool.FOLDER, 0);
                try {
                    if (!clear(inner, left)) {
                        return false;
                    }
                } finally {
                    store.closeQuietly(inner);
                }
                store.files.rmdir(folder, name);
            } else {
                store.files.unlink(folder, name);
            }
        }
        return true;
    }
}
