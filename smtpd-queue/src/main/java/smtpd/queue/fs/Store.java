package smtpd.queue.fs;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.FileOps;
import smtpd.sys.Errno;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/** What all operations on files share. Its methods block. */
final class Store {

    final FileOps files;
    final Spool spool;
    final Syncs syncs;
    final Index index = new Index();
    final Problems problems;

    /** Folders below queue/ whose names changed without a sync; the clock syncs them. */
    final Set<String> unsynced = ConcurrentHashMap.newKeySet();

    /** Buckets whose name in queue/ was synced by this run: only then their content is safe. */
    private final Set<String> durableBuckets = ConcurrentHashMap.newKeySet();

    /** Messages of which something lies in corrupt/: their ids are not drawn again. */
    final Set<Msgid> setAside = ConcurrentHashMap.newKeySet();

    /** Delivered, but neither removed nor marked: never handed out again. */
    final Set<Evpid> undead = ConcurrentHashMap.newKeySet();

    Store(FileOps files, Spool spool, Syncs syncs, Problems problems) {
        this.files = files;
        this.spool = spool;
        this.syncs = syncs;
        this.problems = problems;
    }

    /** Creates, writes, syncs, closes; what was created is removed when that fails. */
    void write(int dir, String name, byte[] bytes) throws SysException {
        int fd = files.open(dir, name, Open.WRONLY | Open.CREAT | Open.EXCL, 0600);
        boolean isWhole = false;
        try {
            try {
                files.write(fd, bytes);
                syncs.file(fd);
            } finally {
                files.close(fd);
            }
            isWhole = true;
        } finally {
            if (!isWhole) {
                unlinkQuietly(dir, name);
            }
        }
    }

    /** As {@link #write}, over what a killed process may have left under such a name. */
    void writeFresh(int dir, Evpid id, byte[] bytes) throws SysException {
        try {
            write(dir, Names.fresh(id), bytes);
        } catch (SysException e) {
            if (e.errno() != Errno.EEXIST) {
                throw e;
            }
            files.unlink(dir, Names.fresh(id));
            write(dir, Names.fresh(id), bytes);
        }
    }

    void unlinkQuietly(int dir, String name) {
        try {
            files.unlink(dir, name);
        } catch (SysException e) {
            if (e.errno() != Errno.ENOENT) {
                problems.add("leftover", "file=" + name, e.getMessage());
            }
        }
    }

    void closeQuietly(int fd) {
        try {
            files.close(fd);
        } catch (SysException e) {
            problems.add("close", "fd=" + fd, e.getMessage());
        }
    }

    /** A folder of queue/, for reading its names or as the start of paths. */
    int openFolder(String path) throws SysException {
        return files.open(spool.queue(), path, Spool.FOLDER, 0);
    }

    void syncFolder(String path) throws SysException {
        int fd = openFolder(path);
        try {
            syncs.folder(fd);
        } finally {
            closeQuietly(fd);
        }
    }

    /** Called before a bucket is made: another writer must not take an older one's word for it. */
    void bucketIsMissing(String bucket) {
        durableBuckets.remove(bucket);
    }

    /** Whoever made the bucket, its name is on disk afterwards. */
    void syncBucketName(String bucket) throws SysException {
        if (!durableBuckets.contains(bucket)) {
            syncs.folder(spool.queue());
            durableBuckets.add(bucket);
        }
    }

    /** All names in a folder of queue/. */
    List<String> names(String path) throws SysException {
        List<String> names = new ArrayList<>();
        int fd = openFolder(path);
        try {
            files.list(fd, names::add);
        } finally {
            closeQuietly(fd);
        }
        return names;
    }

    /** A regular file of ours of at most {@code max} bytes, opened for reading. */
    int openOurs(String path, long max) throws SysException {
        int flags = Open.RDONLY | Open.NOFOLLOW | Open.NONBLOCK;
        int fd = files.open(spool.queue(), path, flags, 0);
        boolean isFine = false;
        try {
            FileInfo info = files.stat(fd);
            if (!info.isRegular()) {
                throw new SysException(path + " is not a regular file", Errno.EINVAL);
            }
            if (info.uid() != spool.uid()) {
                throw new SysException(path + " is owned by uid " + info.uid(), Errno.EACCES);
            }
            if (info.size() > max) {
                throw new SysException(path + " of " + info.size() + " bytes", Errno.EFBIG);
            }
            if (info.links() > 1) {
                problems.add("links", "file=" + path, "has " + info.links() + " hard links");
            }
            isFine = true;
            return fd;
        } finally {
            if (!isFine) {
                closeQuietly(fd);
            }
        }
    }

    /** Lists the folder and corrects the count. */
    int recount(Msgid id) throws SysException {
        int n = 0;
        for (String name : names(Names.folder(id))) {
            n += Names.isEnvelope(name) ? 1 : 0;
        }
        index.set(id, n);
        return n;
    }

    static boolean isAbsent(SysException e) {
        return e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR;
    }
}
