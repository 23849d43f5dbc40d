package smtpd.mda.deliver;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import smtpd.sys.At;
import smtpd.sys.Errno;
import smtpd.sys.Fd;
import smtpd.sys.FileInfo;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * Delivery into a maildir: {@code tmp/NAME}, sync, {@code new/NAME}, sync of the folder, and only
 * then success.
 *
 * <p>The name comes from the envelope, so that a try after a crash finds what the one before has
 * put there. Every folder is opened once and named by its descriptor from then on; below the root
 * no symbolic link is followed. Mails that a thread writes together share the sync of the folder.
 */
final class Maildir implements Backend {

    private static final int DIR_FLAGS = Open.RDONLY | Open.DIRECTORY;
    private static final long TMP_AGE_SECONDS = 36 * 3600;

    private final MaildirPlace place;
    private final String name;
    private final boolean again;
    private final byte[] headers;
    private final Content content;
    private final long cleanBefore;
    private final boolean cleanTmp;
    private Box box;
    private int fd = -1;
    private boolean placed;
    private Verdict verdict;

    private Maildir(Order order) {
        this.place = order.place;
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
     * @param name file name, the same at every try
     * @param again whether an earlier try may have succeeded unnoticed
     * @param clean whether to look for leftovers in {@code tmp}
     * @param now seconds since 1970
     */
    record Order(
            MaildirPlace place,
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
    public void start(Desk desk) {
        box = desk.box(place.path());
        boolean kept = box != null;
        if (!kept && !open(desk)) {
            return;
        }
        if (cleanTmp) {
            removeLeftovers();
        }
        if (again) {
            afterAnotherTry();
            if (verdict != null || placed) {
                return;
            }
        }
        int made = create();
        if (made == -Errno.ENOENT && kept) {
            desk.forget(box.path()); // its user has removed it just now
            if (!open(desk)) {
                return;
            }
            made = create();
        }
        if (made < 0) {
            verdict = Fault.verdict(-made, "tmp");
            return;
        }
        fd = made;
        int r = writeMail(desk.copy().first());
        if (r < 0) {
            Fd.closeQuietly(fd);
            giveUp(r, "maildir");
        } else if (desk.isSeveral()) {
            Fd.startWriteback(fd);
        }
    }

    @Override
    public void sync(Desk desk) {
        if (verdict != null || placed) {
            return;
        }
        int r = Fd.tryFsync(fd);
        int closed = Fd.tryClose(fd);
        if (r == 0) {
            r = closed; // NFS and quota speak up here
        }
        if (r == 0) {
            r = rename();
        }
        if (r == -Errno.EEXIST) {
            // Only this envelope makes this name: an earlier try delivered it, whole or torn.
            r = isWhole(box.fresh(), name) ? At.tryUnlink(box.tmp(), name) : replace();
        }
        if (r < 0) {
            giveUp(r, "maildir");
        } else {
            placed = true;
            box.changed();
        }
    }

    @Override
    public Verdict finish(Desk desk) {
        if (verdict == null) {
            int r = box.sync();
            if (r < 0) {
                At.tryUnlink(box.fresh(), name);
                verdict = Fault.verdict(-r, "new");
            } else {
                verdict = Verdict.OK;
            }
        }
        return verdict;
    }

    private void giveUp(int r, String what) {
        At.tryUnlink(box.tmp(), name);
        verdict = Fault.verdict(-r, what);
    }

    /** Opens the maildir, or says in the verdict why it cannot. */
    private boolean open(Desk desk) {
        try {
            box = place.open();
            desk.keep(box);
            return true;
        } catch (SysException e) {
            verdict = place.verdict(e);
            return false;
        }
    }

    // ---- an earlier try

    /** The try before may have reached {@code new}, and the reader may have moved it on. */
    private void afterAnotherTry() {
        if (At.tryLstat(box.fresh(), name) != null) {
            if (isWhole(box.fresh(), name)) {
                placed = true;
                box.changed();
                return;
            }
            int r = At.tryUnlink(box.fresh(), name); // torn by a power cut: written anew
            if (r < 0) {
                verdict = Fault.verdict(-r, "new");
            }
        } else if (wasRead()) {
            verdict = Verdict.OK;
        }
    }

    private boolean isWhole(int dir, String entry) {
        FileInfo found = At.tryLstat(dir, entry);
        if (found == null) {
            return false;
        }
        long expected = headers.length + content.size();
        // The missing last line feed is added, so one byte more is right as well.
        return content.size() < 0 || found.size() == expected || found.size() == expected + 1;
    }

    private boolean wasRead() {
        if (At.tryLstat(box.cur(), name) != null) {
            return isWhole(box.cur(), name);
        }
        String[] found = new String[1];
        String start = name + ":2,";
        list(
                box.cur(),
                entry -> {
                    if (entry.startsWith(start)) {
                        found[0] = entry;
                    }
                });
        return found[0] != null && isWhole(box.cur(), found[0]);
    }

    // ---- the file

    /** Makes the file in {@code tmp}: its descriptor, or minus errno. */
    private int create() {
        int flags = Open.CREAT | Open.EXCL | Open.WRONLY | Open.NOFOLLOW;
        int made = At.tryOpen(box.tmp(), name, flags, 0600);
        if (made == -Errno.EEXIST) {
            At.tryUnlink(box.tmp(), name); // a leftover of ours
            made = At.tryOpen(box.tmp(), name, flags, 0600);
        }
        return made;
    }

    /** Moves without ever replacing; by link and unlink where the kernel cannot do it at once. */
    private int rename() {
        int r = At.tryRenameNew(box.tmp(), name, box.fresh(), name);
        if (r != -Errno.EINVAL && r != -Errno.ENOSYS) {
            return r;
        }
        r = At.tryLink(box.tmp(), name, box.fresh(), name);
        return r < 0 ? r : At.tryUnlink(box.tmp(), name);
    }

    private int replace() {
        int r = At.tryUnlink(box.fresh(), name);
        return r < 0 ? r : rename();
    }

    private int writeMail(MemorySegment buffer) {
        int used = headers.length;
        MemorySegment.copy(headers, 0, buffer, ValueLayout.JAVA_BYTE, 0, used);
        if (content.inline() != null && used + content.size() < buffer.byteSize()) {
            // The common mail: one write for all of it.
            ContentReader reader = new ContentReader(content, buffer.asSlice(used));
            int n = reader.next();
            int end = n <= 0 ? n : reader.next();
            if (end < 0) {
                return end;
            }
            used += Math.max(n, 0);
            if (!reader.endsWithLineFeed()) {
                buffer.set(ValueLayout.JAVA_BYTE, used++, (byte) '\n');
            }
            return Fd.tryWriteAll(fd, buffer.asSlice(0, used));
        }
        int r = Fd.tryWriteAll(fd, buffer.asSlice(0, used));
        ContentReader reader = new ContentReader(content, buffer);
        while (r == 0) {
            int n = reader.next();
            if (n <= 0) {
                if (n == 0 && !reader.endsWithLineFeed()) {
                    buffer.set(ValueLayout.JAVA_BYTE, 0, (byte) '\n');
                    return Fd.tryWriteAll(fd, buffer.asSlice(0, 1));
                }
                return n;
            }
            r = Fd.tryWriteAll(fd, buffer.asSlice(0, n));
        }
        return r;
    }

    // ---- leftovers

    private void removeLeftovers() {
        int tmp = box.tmp();
        list(
                tmp,
                entry -> {
                    FileInfo found = isOurForm(entry) ? At.tryLstat(tmp, entry) : null;
                    if (found != null
                            && found.isRegular()
                            && found.mtimeNanos() / 1_000_000_000L < cleanBefore) {
                        At.tryUnlink(tmp, entry);
                    }
                });
    }

    /** Walks a folder with an offset of its own; one that cannot be read has no names. */
    private static void list(int dir, Consumer<String> names) {
        int copy = At.tryOpen(dir, ".", DIR_FLAGS, 0);
        if (copy < 0) {
            return;
        }
        try {
            At.list(copy, names);
        } catch (SysException e) {
            // what was seen counts
        } finally {
            Fd.closeQuietly(copy);
        }
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
