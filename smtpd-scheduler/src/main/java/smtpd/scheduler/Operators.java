package smtpd.scheduler;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.Agent;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToScheduler;
import smtpd.imsg.ControlToScheduler.ListEnvelopes;
import smtpd.imsg.ControlToScheduler.ListMessages;
import smtpd.imsg.EnvelopeState;
import smtpd.imsg.SchedulerToControl;
import smtpd.imsg.SchedulerToQueue;
import smtpd.imsg.SchedulerToQueue.DescribeEnvelopes;
import smtpd.imsg.SchedulerToQueue.DescribeRow;
import smtpd.imsg.SchedulerToQueue.MarkSuspended;
import smtpd.imsg.Selection;
import smtpd.log.LogLine;
import smtpd.proc.Edge;
import smtpd.proc.Frame;

/**
 * What operators ask: listings by page, and operations on envelopes, messages or all. Operations
 * are done one after another in the order asked, 256 rows a turn; each ends in exactly one
 * ControlDone.
 */
final class Operators {

    private static final Logger LOG = LoggerFactory.getLogger(Operators.class);
    private static final int MAX_WAITING = 1024;

    /** Rows looked at for one page: a page of nothing but removed rows must end too. */
    private static final int MAX_LOOKS = 1024;

    private static final int MAX_ENVELOPES = 256;
    private static final int MAX_MESSAGES = 1024;

    private final Schedule schedule;
    private final Intake intake;
    private final Edge<SchedulerToQueue> queue;
    private final Edge<ChildToControl> control;
    private final Edge<SchedulerToControl> pages;
    private final ArrayDeque<Request> requests = new ArrayDeque<>();
    private final int[] rows = new int[Job.PIECE];

    Operators(
            Schedule schedule,
            Intake intake,
            Edge<SchedulerToQueue> queue,
            Edge<ChildToControl> control,
            Edge<SchedulerToControl> pages) {
        this.schedule = schedule;
        this.intake = intake;
        this.queue = queue;
        this.control = control;
        this.pages = pages;
    }

    /** A request of a control client that is not done at once. */
    private abstract static class Request implements Job {
        final int client;
        final long id;

        Request(Frame frame) {
            this.client = frame.peer();
            this.id = frame.id();
        }

        /** A row that did not exist when this was asked. */
        void inserted(int row) {}
    }

    private enum Verb {
        SUSPEND,
        RESUME,
        REMOVE,
        SCHEDULE
    }

    // ---- requests

    void suspend(Frame frame, ControlToScheduler.Suspend m) {
        begin(frame, Verb.SUSPEND, m.what(), m.uid());
    }

    void resume(Frame frame, ControlToScheduler.Unsuspend m) {
        begin(frame, Verb.RESUME, m.what(), m.uid());
    }

    void remove(Frame frame, ControlToScheduler.Remove m) {
        begin(frame, Verb.REMOVE, m.what(), m.uid());
    }

    void schedule(Frame frame, ControlToScheduler.Schedule m) {
        begin(frame, Verb.SCHEDULE, m.what(), m.uid());
    }

    private void begin(Frame frame, Verb verb, Selection what, int uid) {
        if ((verb == Verb.SUSPEND || verb == Verb.RESUME) && !queue.isUp()) {
            // The flag belongs into the envelope: else the next restart would forget it.
            refuse(frame, "the queue is being restarted, try again");
            return;
        }
        add(frame, new Operation(frame, verb, what, uid));
    }

    private void add(Frame frame, Request request) {
        if (requests.size() >= MAX_WAITING) {
            refuse(frame, "too many operations are waiting");
        } else {
            requests.add(request);
        }
    }

    /** A page of envelopes: state and times go to the queue, which adds the text. */
    void list(Frame frame, ListEnvelopes m) {
        inOrder(
                frame,
                new Request(frame) {
                    @Override
                    public boolean step(long now) {
                        page(frame, m);
                        return true;
                    }
                });
    }

    void list(Frame frame, ListMessages m) {
        inOrder(
                frame,
                new Request(frame) {
                    @Override
                    public boolean step(long now) {
                        page(frame, m);
                        return true;
                    }
                });
    }

    void showHolds(Frame frame) {
        inOrder(frame, new HoldRows(frame));
    }

    /** At once, unless an operation of the same client is still under way. */
    private void inOrder(Frame frame, Request request) {
        for (Request other : requests) {
            if (other.client == frame.peer()) {
                add(frame, request);
                return;
            }
        }
        if (!request.step(0)) {
            add(frame, request);
        }
    }

    private void refuse(Frame frame, String why) {
        done(frame.peer(), frame.id(), false, 0, 0, why);
    }

    private void done(int client, long id, boolean ok, long count, long last, String text) {
        control.sendTo(client, id, new ChildToControl.ControlDone(ok, count, last, text));
    }

    /** Nothing to do and already so are fine. */
    void acknowledge(Frame frame) {
        done(frame.peer(), frame.id(), true, 0, 0, "");
    }

    void refuseUnknownAgent(Frame frame) {
        refuse(frame, "only mta and mda can be paused here");
    }

    // ---- life

    /** Works off a piece; true when more is left. */
    boolean step(long now) {
        Request first = requests.peek();
        if (first != null && first.step(now)) {
            requests.poll();
        }
        return !requests.isEmpty();
    }

    /** Control is new: its clients are gone, and their numbers belong to others. */
    void controlLost() {
        requests.clear();
    }

    void inserted(int row) {
        for (Request request : requests) {
            request.inserted(row);
        }
    }

    // ---- operations

    private final class Operation extends Request {
        private final Verb verb;
        private final Selection what;
        private final int uid;
        private final long to;
        private long from;

        /** Rows that came after the request: later mail is not touched. */
        private final BitSet later = new BitSet();

        private int changed;
        private int inFlight;

        Operation(Frame frame, Verb verb, Selection what, int uid) {
            super(frame);
            this.verb = verb;
            this.what = what;
            this.uid = uid;
            switch (what) {
                case Selection.All _ -> {
                    from = 0;
                    to = -1L;
                }
                case Selection.OneMessage m -> {
                    from = (long) m.msgid().value() << 32;
                    to = from | 0xffffffffL;
                }
                case Selection.OneEnvelope m -> {
                    from = m.evpid().value();
                    to = from;
                }
            }
        }

        @Override
        void inserted(int row) {
            later.set(row);
        }

        @Override
        public boolean step(long now) {
            int n = schedule.table().ascending(from, to, rows);
            List<Evpid> marks = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                int row = rows[i];
                from = schedule.table().evpid(row);
                if (!later.get(row) && apply(row, now)) {
                    changed++;
                    if (verb == Verb.SUSPEND || verb == Verb.RESUME) {
                        marks.add(new Evpid(from));
                    }
                }
            }
            if (!marks.isEmpty()) {
                queue.send(0, new MarkSuspended(marks, verb == Verb.SUSPEND, uid));
            }
            if (n < rows.length || from == to) {
                finish();
                return true;
            }
            from++;
            return false;
        }

        private boolean apply(int row, long now) {
            if (schedule.isInFlight(row)) {
                inFlight++;
            }
            return switch (verb) {
                case SUSPEND -> schedule.suspend(row, now);
                case RESUME -> schedule.resume(row);
                case REMOVE -> schedule.remove(row, uid, now);
                case SCHEDULE -> schedule.scheduleNow(row, now);
            };
        }

        private void finish() {
            String text = inFlight == 0 ? "" : inFlight + " in flight";
            if (intake.isLoading()) {
                String loading = "loading, " + intake.loaded() + " so far";
                text = text.isEmpty() ? loading : text + "; " + loading;
            }
            LogLine line = LogLine.of("scheduler", verb.name().toLowerCase(Locale.ROOT));
            switch (what) {
                case Selection.All _ -> line.add("evpid", "all");
                case Selection.OneMessage m -> line.msgid("msgid", m.msgid().value());
                case Selection.OneEnvelope m -> line.id("evpid", m.evpid().value());
            }
            line.add("count", changed).add("inflight", inFlight).add("by", uid).info(LOG);
            done(client, id, true, changed, 0, text);
        }
    }

    // ---- listings

    private void page(Frame frame, ListEnvelopes m) {
        if (!queue.isUp()) {
            refuse(frame, "the queue is being restarted, try again");
            return;
        }
        int limit = Math.clamp(m.limit(), 1, Math.min(MAX_ENVELOPES, tuning().envelopePage()));
        List<DescribeRow> page = new ArrayList<>();
        long from = m.from().value();
        long last = 0;
        int looks = 0;
        boolean isEnd = false;
        while (!isEnd && page.size() < limit && looks < MAX_LOOKS) {
            int n = schedule.table().ascending(from, -1L, rows);
            isEnd = n < rows.length;
            int i = 0;
            for (; i < n && page.size() < limit; i++, looks++) {
                last = schedule.table().evpid(rows[i]);
                if (!schedule.table().has(rows[i], EnvelopeTable.REMOVED | EnvelopeTable.EXPIRED)) {
                    page.add(describe(rows[i]));
                }
            }
            isEnd = (isEnd && i == n) || last == -1L;
            from = last + 1;
        }
        queue.sendTo(frame.peer(), frame.id(), new DescribeEnvelopes(page, isEnd ? 0 : last));
    }

    private Tuning tuning() {
        return schedule.tuning();
    }

    private DescribeRow describe(int row) {
        EnvelopeTable table = schedule.table();
        int state = EnvelopeState.PENDING;
        long time = table.next(row);
        long hold = 0;
        switch (table.state(row)) {
            case EnvelopeTable.SCHEDULED -> time = table.since(row);
            case EnvelopeTable.INFLIGHT -> {
                state = EnvelopeState.IN_FLIGHT;
                time = table.since(row);
            }
            case EnvelopeTable.HELD -> {
                state |= EnvelopeState.HELD;
                Holds.Key key = schedule.holds().numbered(table.hold(row)).key;
                hold = key.agent() == Holds.OWN ? 0 : key.key();
            }
            default -> {
                // pending: the next try
            }
        }
        if (table.has(row, EnvelopeTable.SUSPENDED)) {
            state |= EnvelopeState.SUSPENDED;
        }
        return new DescribeRow(new Evpid(table.evpid(row)), state, time, table.retry(row), hold);
    }

    private void page(Frame frame, ListMessages m) {
        int limit = Math.clamp(m.limit(), 1, Math.min(MAX_MESSAGES, tuning().messagePage()));
        List<Msgid> ids = new ArrayList<>();
        int from = m.from().value();
        long last = 0;
        while (ids.size() < limit) {
            int row = schedule.table().messageFrom(from);
            if (row < 0) {
                last = 0;
                break;
            }
            int msgid = schedule.table().msgid(row);
            ids.add(new Msgid(msgid));
            if (msgid == -1) {
                last = 0; // from + 1 would begin anew
                break;
            }
            last = msgid & 0xffffffffL;
            from = msgid + 1;
        }
        pages.sendTo(frame.peer(), frame.id(), new SchedulerToControl.MessageIds(ids));
        done(frame.peer(), frame.id(), true, ids.size(), last, "");
    }

    /** One row for each hold queue: key, agent, generation, envelopes, since when. */
    private final class HoldRows extends Request {
        private final ArrayDeque<Holds.Hold> left = new ArrayDeque<>(schedule.holds().all());
        private int shown;

        HoldRows(Frame frame) {
            super(frame);
        }

        @Override
        public boolean step(long now) {
            for (int i = 0; i < PIECE && !left.isEmpty(); i++) {
                Holds.Hold hold = left.poll();
                if (!hold.rows.isEmpty()) {
                    shown++;
                    control.sendTo(client, id, row(hold));
                }
            }
            if (!left.isEmpty()) {
                return false;
            }
            done(client, id, true, shown, 0, "");
            return true;
        }

        private ChildToControl.ShowRow row(Holds.Hold hold) {
            Holds.Key key = hold.key;
            String agent =
                    key.agent() == Holds.OWN
                            ? "scheduler"
                            : Agent.values()[key.agent()].name().toLowerCase(Locale.ROOT);
            return new ChildToControl.ShowRow(
                    "hold",
                    List.of(
                            Tracer.hex(key.key()),
                            agent,
                            Integer.toString(key.generation()),
                            Integer.toString(hold.rows.size()),
                            Long.toString(schedule.table().next(hold.rows.first()))));
        }
    }
}
