package smtpd.mda;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/** Deliveries that were given up while a file system still holds their thread. */
final class StuckThreads {

    private record Stuck(Thread thread, Delivery delivery) {}

    private final List<Stuck> all = new ArrayList<>();

    void add(Thread thread, Delivery delivery) {
        all.add(new Stuck(thread, delivery));
    }

    int size() {
        return all.size();
    }

    /** Takes out those whose thread came back. */
    void sweep(Consumer<Delivery> freed) {
        for (Iterator<Stuck> each = all.iterator(); each.hasNext(); ) {
            Stuck stuck = each.next();
            if (!stuck.thread().isAlive()) {
                each.remove();
                freed.accept(stuck.delivery());
            }
        }
    }
}
