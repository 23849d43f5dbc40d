package smtpd.mda.deliver;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a writing thread keeps at hand from one mail to the next: memory, and open maildirs. */
final class Desk implements AutoCloseable {

    private static final int MAX_BOXES = 4;

    private final CopyBuffer copy = new CopyBuffer();
    private final Map<String, Box> boxes = new HashMap<>();
    private final List<Box> old = new ArrayList<>();
    private boolean several;

    CopyBuffer copy() {
        return copy;
    }

    /** Begins with one mail, or with several whose steps are interleaved. */
    void begin(boolean isSeveral) {
        several = isSeveral;
        boxes.values().forEach(Box::doubt);
    }

    boolean isSeveral() {
        return several;
    }

    /** The open maildir at this path; null when there is none, or the path leads elsewhere now. */
    Box box(String path) {
        Box box = boxes.get(path);
        if (box != null && !box.isStill()) {
            forget(path);
            return null;
        }
        return box;
    }

    void keep(Box box) {
        Box before = boxes.put(box.path(), box);
        if (before != null) {
            old.add(before);
        }
    }

    void forget(String path) {
        Box box = boxes.remove(path);
        if (box != null) {
            old.add(box); // the mails before may still need it
        }
    }

    /** The mails begun are done. */
    void end() {
        old.forEach(Box::close);
        old.clear();
        if (boxes.size() > MAX_BOXES) {
            boxes.values().forEach(Box::close);
            boxes.clear();
        }
    }

    @Override
    public void close() {
        end();
        boxes.values().forEach(Box::close);
        boxes.clear();
        copy.close();
    }
}
