package smtpd.queue.fs;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.Fitness;
import smtpd.queue.backend.QueueBackend.Restored;
import smtpd.sys.Errno;
import smtpd.sys.Open;
import smtpd.sys.SysException;

/**
 * {@code corrupt/ID/}: bad files and the reason, nothing else of the message. With the last
 * envelope its content comes along, for without it nothing could ever be restored.
 */
final class Quarantine {

    private final Store store;
    private final EnvelopeFiles envelopes;
    private final InstantSource clock;
    private final Fitness fitness;

    Quarantine(Store store, EnvelopeFiles envelopes, InstantSource clock, Fitness fitness) {
        this.store = store;
        this.envelopes = envelopes;
        this.clock = clock;
        this.fitness = fitness;
    }

    /** Learns what earlier runs put here. */
    void look() throws SysException {
        int folder = store.files.open(store.spool.corrupt(), ".", Spool.FOLDER, 0);
        try {
            store.files.list(
                    folder,
                    name -> {
                        if (name.length() == 8 && Names.isHex(name, 0, 8)) {
                            store.setAside.add(Msgid.parse(name));
                        }
                    });
        } finally {
            store.closeQuietly(folder);
        }
    }

    /**
     * @return false when there is nothing of that id
     */
    boolean take(Evpid id, String reason) throws SysException {
        Msgid msgid = id.msgid();
        List<String> names;
        try {
            names = store.names(Names.folder(msgid));
        } catch (SysException e) {
            if (Store.isAbsent(e)) {
                return false;
            }
            throw e;
        }
        List<String> bad = new ArrayList<>();
        int staying = 0;
        for (String name : names) {
            if (Names.isEnvelope(name)) {
                if (id.low() == 0 || name.equals(id.toString())) {
                    bad.add(name);
                } else {
                    staying++;
                }
            }
        }
        if (bad.isEmpty()) {
            return false;
        }
        if (staying == 0 && names.contains(Names.CONTENT)) {
            bad.add(Names.CONTENT);
        }
        store.setAside.add(msgid);
        makeFolder(msgid);
        for (String name : bad) {
            String from = Names.folder(msgid) + "/" + name;
            note(msgid, from, reason);
            aside(from, msgid + "/" + name);
        }
        store.recount(msgid);
        if (staying == 0) {
            envelopes.removeIfEmpty(msgid);
        }
        return true;
    }

    private void makeFolder(Msgid id) throws SysException {
        try {
            store.files.mkdir(store.spool.corrupt(), id.toString(), 0700);
        } catch (SysException e) {
            if (e.errno() != Errno.EEXIST) {
                throw e;
            }
        }
    }

    /** A name that is taken by an earlier bad file gets a number. */
    private void aside(String from, String to) throws SysException {
        String target = to;
        for (int i = 1; ; i++) {
            try {
                store.files.renameNew(store.spool.queue(), from, store.spool.corrupt(), target);
                return;
            } catch (SysException e) {
                if (e.errno() != Errno.EEXIST || i > 1000) {
                    throw e;
                }
                target = to + "." + i;
            }
        }
    }

    private void note(Msgid id, String path, String reason) throws SysException {
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        String line = now + " queue/" + path + " " + reason.replace('\n', ' ') + "\n";
        int flags = Open.WRONLY | Open.CREAT | Open.APPEND | Open.NOFOLLOW;
        int fd = store.files.open(store.spool.corrupt(), id + "/" + Names.REASON, flags, 0600);
        try {
            store.files.write(fd, line.getBytes(StandardCharsets.UTF_8));
        } finally {
            store.closeQuietly(fd);
        }
    }

    Restored restore(Msgid id) throws SysException {
        List<String> names = new ArrayList<>();
        int from;
        try {
            from = store.files.open(store.spool.corrupt(), id.toString(), Spool.FOLDER, 0);
        } catch (SysException e) {
            if (Store.isAbsent(e)) {
                return new Restored(0, List.of());
            }
            throw e;
        }
        List<String> refused = new ArrayList<>();
        int restored = 0;
        try {
            store.files.list(from, names::add);
            List<String> good = good(from, names, refused);
            if (!good.isEmpty()) {
                restored = bringBack(id, from, names, good, refused);
            }
            if (refused.isEmpty()) {
                store.unlinkQuietly(from, Names.REASON);
                store.files.rmdir(store.spool.corrupt(), id.toString());
                store.setAside.remove(id);
            }
        } catch (SysException e) {
            refused.add(id + ": " + e.getMessage());
        } finally {
            store.closeQuietly(from);
        }
        return new Restored(restored, refused);
    }

    private List<String> good(int from, List<String> names, List<String> refused) {
        List<String> good = new ArrayList<>();
        for (String name : names) {
            if (name.equals(Names.CONTENT) || name.equals(Names.REASON)) {
                continue;
            }
            String unfit = "not the name of an envelope";
            if (Names.isEnvelope(name)) {
                unfit = unfit(from, name);
            }
            if (unfit == null) {
                good.add(name);
            } else {
                refused.add(name + ": " + unfit);
            }
        }
        return good;
    }

    private String unfit(int from, String name) {
        try {
            int fd = store.files.open(from, name, Open.RDONLY | Open.NOFOLLOW, 0);
            try {
                byte[] bytes = store.files.readAll(fd, EnvelopeFiles.MAX_TEXT);
                return fitness.unfit(Evpid.parse(name.toLowerCase(Locale.ROOT)), bytes);
            } finally {
                store.closeQuietly(fd);
            }
        } catch (SysException e) {
            return e.getMessage();
        }
    }

    private int bringBack(
            Msgid id, int from, List<String> names, List<String> good, List<String> refused)
            throws SysException {
        makeHome(id);
        int folder = store.openFolder(Names.folder(id));
        int restored = 0;
        try {
            if (names.contains(Names.CONTENT) && !store.files.exists(folder, Names.CONTENT)) {
                store.files.renameNew(from, Names.CONTENT, folder, Names.CONTENT);
            }
            for (String name : good) {
                try {
                    store.files.renameNew(from, name, folder, name);
                    restored++;
                } catch (SysException e) {
                    refused.add(name + ": " + e.getMessage());
                }
            }
            store.syncs.folder(folder);
        } finally {
            store.closeQuietly(folder);
        }
        store.syncFolder(id.bucket());
        store.syncs.barrier();
        store.recount(id);
        return restored;
    }

    private void makeHome(Msgid id) throws SysException {
        for (String path : new String[] {id.bucket(), Names.folder(id)}) {
            try {
                store.files.mkdir(store.spool.queue(), path, 0700);
            } catch (SysException e) {
                if (e.errno() != Errno.EEXIST) {
                    throw e;
                }
            }
        }
        store.syncs.folder(store.spool.queue());
    }
}
