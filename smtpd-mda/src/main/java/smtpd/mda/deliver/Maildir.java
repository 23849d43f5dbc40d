package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import smtpd.sys.Errno;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;

/**
 * Delivery into a maildir: {@code tmp/NAME}, sync, {@code new/NAME}, sync of the folder, and only
 * then success.
 *
 * <p>The name comes from the envelope, so that a try after a crash finds what the one before has
 * put there. Every folder is opened once and named by its descriptor from then on; below the root
 * no symbolic link is followed.
 */
final class Maildir implements Backend {

    private static final int MAX_DEPTH = 64;
    private static final int DIR_FLAGS = Open.RDONLY | Open.DIRECTORY;
    private static final int SUB_FLAGS = DIR_FLAGS | Open.NOFOLLOW;
    private static final long TMP_AGE_SECONDS = 36 * 3600;

    private final String root;
    private final String home;
    private final int uid;
    private final String folder;
    private final boolean makeFolder;
    private final String name;
    private final boolean again;
    private final byte[] headers;
    private final Content content;
    private final long cleanBefore;
    private final boolean cleanTmp;

    private Maildir(Order order) {
        this.root = order.root;
        this.home = order.home;
        this.uid = order.uid;
        this.folder = order.folder;
        this.makeFolder = order.makeFolder;
        this.name = order.name;
        this.again = order.again;
        this.headers = order.headers;
        this.content = order.content;
        this.cleanBefore = order.now - TMP_AGE_SECONDS;
        this.cleanTmp = order.clean;
    }

    /**
     * What to write where.
     *
     * @param root absolute path
     * @param home of the user; never created
     * @param uid of the user, who must own the home (or root)
     * @param folder sub-folder with its leading dot; null for the root itself
     * @param makeFolder whether a missing sub-folder is made; otherwise the root takes the mail
     * @param name file name, the same at every try
     * @param again whether an earlier try may have succeeded unnoticed
     * @param clean whether to look for leftovers in {@code tmp}
     * @param now seconds since 1970
     */
    record Order(
            String root,
            String home,
            int uid,
            String folder,
            boolean makeFolder,
            String name,
            boolean again,
            byte[] headers,
            Content content,
            boolean clean,
            long now) {}

    static Maildir of(Order order) {
        return new Maildir(order);
    }

    /** {@code CTIME.Q<evpid>.HOST}; the host with {@code /} and {@code :} written in octal. */
    static String fileName(long created, String evpid, String host) {
        return created + ".Q" + evpid + "." + host.replace("/", "\\057").replace(":", "\\072");
    }

    /**
     * The sub-folder of a tag, with its dot; null when nothing is left of the tag.
     *
     * <p>The tag comes from a stranger: a slash would leave the folder, leading dots would climb.
     */
    static String folderOfTag(String tag) {
        int start = 0;
        while (start < tag.length() && tag.charAt(start) == '.') {
            start++;
        }
        if (start == tag.length() || tag.length() - start > 200) {
            return null;
        }
        StringBuilder out = new StringBuilder(tag.length() + 1).append('.');
        for (int i = start; i < tag.length(); i++) {
            char c = tag.charAt(i);
            out.append(Specifiers.mustEscape(c, false, Specifiers.Use.PATH) ? ':' : c);
        }
        return out.toString();
    }

    @Override
    public Verdict deliver(Posix posix) {
        int dir = openRoot(posix);
        if (dir < 0) {
            return rootVerdict(posix, -dir);
        }
        int box = dir;
        if (folder != null) {
            int sub = openFolder(posix, dir);
            if (sub < 0 && sub != -Errno.ENOENT) {
                posix.close(dir);
                return Fault.verdict(-sub, folder);
            }
            if (sub >= 0) {
                posix.close(dir);
                box = sub;
            }
        }
        Verdict verdict = intoBox(posix, box);
        posix.close(box);
        return verdict;
    }

    private Verdict rootVerdict(Posix posix, int errno) {
        if (errno == Errno.ENOENT && posix.stat(Posix.AT_FDCWD, home) == -Errno.ENOENT) {
            // An unmounted home must not bounce, nor be made below the mount point.
            return Verdict.temporary("4.2.1", "home missing");
        }
        if (errno == Errno.EPERM) {
            return Verdict.temporary("4.3.5", "home is owned by somebody else");
        }
        return Fault.verdict(errno, "maildir");
    }

    /** Opens the root, making what is missing, but never the home; minus errno when it fails. */
    private int openRoot(Posix posix) {
        boolean inHome = root.equals(home) || root.startsWith(home + "/");
        if (inHome) {
            int r = posix.stat(Posix.AT_FDCWD, home);
            if (r < 0) {
                return r;
            }
            int owner = posix.stat().uid();
            if (owner != uid && owner != 0) {
                return -Errno.EPERM;
            }
        }
        int fd = posix.open(Posix.AT_FDCWD, root, DIR_FLAGS, 0);
        if (fd != -Errno.ENOENT) {
            return fd;
        }
        return makePath(posix, inHome ? home.length() : 0);
    }

    /** Makes the missing folders one by one; existing ones keep their mode. */
    private int makePath(Posix posix, int from) {
        int at = from;
        for (int depth = 0; depth < MAX_DEPTH && at < root.length(); depth++) {
            int slash = root.indexOf('/', at + 1);
            int end = slash < 0 ? root.length() : slash;
            if (end > at + 1) {
                int r = posix.mkdir(Posix.AT_FDCWD, root.substring(0, end), 0700);
                if (r < 0 && r != -Errno.EEXIST && !exists(posix, root.substring(0, end))) {
                    return r;
                }
            }
            at = end;
        }
        return posix.open(Posix.AT_FDCWD, root, DIR_FLAGS, 0);
    }

    /** A folder above ours that exists may refuse mkdir with EACCES or EROFS before EEXIST. */
    private static boolean exists(Posix posix, String path) {
        return posix.stat(Posix.AT_FDCWD, path) == 0;
    }

    private int openFolder(Posix posix, int dir) {
        int fd = posix.open(dir, folder, SUB_FLAGS, 0);
        if (fd == -Errno.ENOENT && makeFolder) {
            int r = posix.mkdir(dir, folder, 0700);
            fd = r < 0 && r != -Errno.EEXIST ? r : posix.open(dir, folder, SUB_FLAGS, 0);
        }
        return fd;
    }

    private Verdict intoBox(Posix posix, int box) {
        int tmp = subFolder(posix, box, "tmp");
        if (tmp < 0) {
            return Fault.verdict(-tmp, "tmp");
        }
        int fresh = subFolder(posix, box, "new");
        if (fresh < 0) {
            posix.close(tmp);
            return Fault.verdict(-fresh, "new");
        }
        int cur = subFolder(posix, box, "cur");
        Verdict verdict;
        if (cur < 0) {
            verdict = Fault.verdict(-cur, "cur");
        } else {
            if (cleanTmp) {
                removeLeftovers(posix, tmp);
            }
            verdict = again ? afterAnotherTry(posix, tmp, fresh, cur) : write(posix, tmp, fresh);
            posix.close(cur);
        }
        posix.close(fresh);
        posix.close(tmp);
        return verdict;
    }

    private static int subFolder(Posix posix, int box, String name) {
        int fd = posix.open(box, name, SUB_FLAGS, 0);
        if (fd != -Errno.ENOENT) {
            return fd;
        }
        int r = posix.mkdir(box, name, 0700);
        if (r < 0 && r != -Errno.EEXIST) {
            return r;
        }
        return posix.open(box, name, SUB_FLAGS, 0);
    }

    /** The try before may have reached {@code new}, and the reader may have moved it on. */
    private Verdict afterAnotherTry(Posix posix, int tmp, int fresh, int cur) {
        if (posix.lstat(fresh, name) == 0) {
            if (isWhole(posix.stat())) {
                int r = posix.fsync(fresh);
                return r < 0 ? Fault.verdict(-r, "new") : Verdict.OK;
            }
            int r = posix.unlink(fresh, name); // torn by a power cut: the mail is written anew
            if (r < 0) {
                return Fault.verdict(-r, "new");
            }
        } else if (wasRead(posix, cur)) {
            return Verdict.OK;
        }
        return write(posix, tmp, fresh);
    }

    private boolean isWhole(FileInfo stat) {
        long expected = headers.length + content.size();
        // The missing last line feed is added, so one byte more is right as well.
        return content.size() < 0 || stat.size() == expected || stat.size() == expected + 1;
    }

    private boolean wasRead(Posix posix, int cur) {
        if (posix.lstat(cur, name) == 0) {
            return isWhole(posix.stat());
        }
        int copy = posix.open(cur, ".", DIR_FLAGS, 0);
        if (copy < 0) {
            return false;
        }
        String[] found = new String[1];
        String start = name + ":2,";
        posix.list(
                copy,
                entry -> {
                    if (entry.startsWith(start)) {
                        found[0] = entry;
                    }
                });
        return found[0] != null && posix.lstat(cur, found[0]) == 0 && isWhole(posix.stat());
    }

    private Verdict write(Posix posix, int tmp, int fresh) {
        int flags = Open.CREAT | Open.EXCL | Open.WRONLY | Open.NOFOLLOW;
        int fd = posix.open(tmp, name, flags, 0600);
        if (fd == -Errno.EEXIST) {
            posix.unlink(tmp, name); // a leftover of ours
            fd = posix.open(tmp, name, flags, 0600);
        }
        if (fd < 0) {
            return Fault.verdict(-fd, "tmp");
        }
        int r = writeMail(posix, fd);
        if (r == 0) {
            r = posix.fsync(fd);
        }
        int closed = posix.close(fd);
        if (r == 0) {
            r = closed; // NFS and quota speak up here
        }
        if (r == 0) {
            r = posix.renameNew(tmp, name, fresh, name);
        }
        if (r == -Errno.EEXIST) {
            // Only this envelope makes this name: an earlier try delivered it, whole or torn.
            boolean whole = posix.lstat(fresh, name) == 0 && isWhole(posix.stat());
            r = whole ? posix.unlink(tmp, name) : replace(posix, tmp, fresh);
        }
        if (r < 0) {
            posix.unlink(tmp, name);
            return Fault.verdict(-r, "maildir");
        }
        r = posix.fsync(fresh);
        if (r < 0) {
            posix.unlink(fresh, name);
            return Fault.verdict(-r, "new");
        }
        return Verdict.OK;
    }

    private int replace(Posix posix, int tmp, int fresh) {
        int r = posix.unlink(fresh, name);
        return r < 0 ? r : posix.renameNew(tmp, name, fresh, name);
    }

    private int writeMail(Posix posix, int fd) {
        MemorySegment buffer = posix.buffer();
        int used = headers.length;
        MemorySegment.copy(headers, 0, buffer, ValueLayout.JAVA_BYTE, 0, used);
        if (content.inline() != null && used + content.size() < buffer.byteSize()) {
            // The common mail: one write for all of it.
            ContentReader reader = new ContentReader(content, posix, buffer.asSlice(used));
            int n = reader.next();
            int end = n <= 0 ? n : reader.next();
            if (end < 0) {
                return end;
            }
            used += Math.max(n, 0);
            if (!reader.endsWithLineFeed()) {
                buffer.set(ValueLayout.JAVA_BYTE, used++, (byte) '\n');
            }
            return posix.writeFully(fd, buffer, used);
        }
        int r = posix.writeFully(fd, buffer, used);
        ContentReader reader = new ContentReader(content, posix, buffer);
        while (r == 0) {
            int n = reader.next();
            if (n <= 0) {
                if (n == 0 && !reader.endsWithLineFeed()) {
                    buffer.set(ValueLayout.JAVA_BYTE, 0, (byte) '\n');
                    return posix.writeFully(fd, buffer, 1);
                }
                return n;
            }
            r = posix.writeFully(fd, buffer, n);
        }
        return r;
    }

    private void removeLeftovers(Posix posix, int tmp) {
        int copy = posix.open(tmp, ".", DIR_FLAGS, 0);
        if (copy < 0) {
            return;
        }
        posix.list(
                copy,
                entry -> {
                    if (isOurForm(entry)
                            && posix.lstat(tmp, entry) == 0
                            && posix.stat().isRegular()
                            && posix.stat().mtimeNanos() / 1_000_000_000L < cleanBefore) {
                        posix.unlink(tmp, entry);
                    }
                });
    }

    /** {@code digits.Q<16 hex>.host}. */
    static boolean isOurForm(String name) {
        int dot = name.indexOf(".Q");
        if (dot <= 0 || name.length() < dot + 19 || name.charAt(dot + 18) != '.') {
            return false;
        }
        for (int i = 0; i < dot; i++) {
            if (name.charAt(i) < '0' || name.charAt(i) > '9') {
                return false;
            }
        }
        for (int i = dot + 2; i < dot + 18; i++) {
            if (Character.digit(name.charAt(i), 16) < 0) {
                return false;
            }
        }
        return true;
    }
}
