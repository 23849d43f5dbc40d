package smtpd.queue.fs;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.Lanes;
import smtpd.queue.backend.QueueBackend.Entry;
import smtpd.queue.backend.QueueBackend.Load;
import smtpd.sys.FileInfo;
import smtpd.sys.SysException;

/** Looks at one message folder: which envelopes it has, and what is wrong with the rest. */
final class FolderScan {

    private static final long EMPTY_FOLDER_SECONDS = 3600;

    private final Store store;
    private final EnvelopeFiles envelopes;
    private final Trash trash;
    private final Lanes lanes;
    private final InstantSource clock;

    FolderScan(
            Store store, EnvelopeFiles envelopes, Trash trash, Lanes lanes, InstantSource clock) {
        this.store = store;
        this.envelopes = envelopes;
        this.trash = trash;
        this.lanes = lanes;
        this.clock = clock;
    }

    /** Texts that can be read; the others are told as problems. */
    List<Entry> read(List<Evpid> ids) {
        List<Entry> found = new ArrayList<>(ids.size());
        for (Evpid id : ids) {
            if (envelopes.load(id) instanceof Load.Found f) {
                found.add(new Entry(id, f.bytes()));
            }
        }
        return found;
    }

    /** Envelopes of the message. Repairs follow in the message's lane. */
    List<Evpid> envelopes(Msgid id) {
        List<Evpid> found = new ArrayList<>();
        List<String> names;
        try {
            names = store.names(Names.folder(id));
        } catch (SysException e) {
            if (!Store.isAbsent(e)) {
                store.problems.add("unreadable", "msgid=" + id, e.getMessage());
            }
            return found;
        }
        boolean needsRepair = store.index.count(id) < 0;
        Set<String> done = new HashSet<>();
        for (String name : names) {
            if (Names.isLeftover(name)) {
                needsRepair = true;
                if (name.endsWith(".done")) {
                    done.add(name.substring(1, 17));
                }
            }
        }
        for (String name : names) {
            if (name.length() == 16 && Names.isHex(name, 0, 16)) {
                envelope(id, name, done, found);
            } else if (!name.equals(Names.CONTENT) && !Names.isLeftover(name)) {
                store.problems.add("foreign", "file=" + name + " msgid=" + id, "ignored");
            }
        }
        if (!found.isEmpty() && !names.contains(Names.CONTENT)) {
            store.problems.add("content-missing", "msgid=" + id, "no file 'message'");
        }
        if (needsRepair) {
            lanes.submit(Set.of(id), () -> repair(id));
        }
        return found;
    }

    private void envelope(Msgid id, String name, Set<String> done, List<Evpid> found) {
        Evpid evp = Evpid.parse(name);
        if (!evp.msgid().equals(id) || evp.low() == 0) {
            store.problems.add("misplaced", "file=" + name + " msgid=" + id, "not of this message");
            return;
        }
        if (!name.equals(evp.toString())) {
            try {
                String folder = Names.folder(id) + "/";
                int queue = store.spool.queue();
                store.files.renameNew(queue, folder + name, queue, folder + evp);
            } catch (SysException e) {
                store.problems.add("misnamed", "file=" + name, e.getMessage());
                return;
            }
        }
        if (!done.contains(evp.toString())) {
            found.add(evp);
        }
    }

    /** Removes what a killed process left, finishes removals, counts. */
    private void repair(Msgid id) {
        String folder = Names.folder(id);
        try {
            for (String name : store.names(folder)) {
                if (Names.isLeftover(name)) {
                    if (name.endsWith(".done")) {
                        remove(folder + "/" + name.substring(1, 17));
                    }
                    remove(folder + "/" + name);
                }
            }
            if (store.recount(id) == 0) {
                empty(id);
            }
        } catch (SysException e) {
            if (!Store.isAbsent(e)) {
                store.problems.add("leftover", "msgid=" + id, e.getMessage());
            }
        }
    }

    private void remove(String path) throws SysException {
        try {
            store.files.unlink(store.spool.queue(), path);
        } catch (SysException e) {
            if (!Store.isAbsent(e)) {
                throw e;
            }
        }
    }

    /** A young one may still be filled by hand. */
    private void empty(Msgid id) throws SysException {
        FileInfo info = store.files.lstat(store.spool.queue(), Names.folder(id));
        long age = clock.millis() / 1000 - info.mtimeNanos() / 1_000_000_000L;
        if (age > EMPTY_FOLDER_SECONDS) {
            trash.take(store.spool.queue(), Names.folder(id));
        }
    }
}
