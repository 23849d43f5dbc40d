package smtpd.lka.expand;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Action;
import smtpd.conf.Delivery;
import smtpd.conf.Expansion;
import smtpd.envelope.Envelope;
import smtpd.lka.expand.Expanded.Refused;
import smtpd.lka.expand.Node.Origin;
import smtpd.lka.rule.Verdict;
import smtpd.lka.table.UserAnswer;
import smtpd.log.LogLine;
import smtpd.mail.MailAddress;
import smtpd.table.Lookup;
import smtpd.table.Service;
import smtpd.table.TableRef;

/**
 * Grows the tree of one recipient, target by target in the order of the texts, down to envelopes.
 * One error anywhere refuses the recipient as a whole. Belongs to the event loop.
 */
public final class Expander {

    /** A {@code .forward} of this many bytes is too large. */
    public static final int MAX_FORWARD_BYTES = 4096;

    private static final Logger LOG = LoggerFactory.getLogger(Expander.class);
    private static final int MAX_DEPTH = 10;
    private static final int MAX_NODES = 10_000;
    private static final int MAX_FORWARD_NODES = 100;
    private static final int MAX_NAME = 255;
    private static final int NODES_PER_TURN = 256;

    private final long session;
    private final Recipient recipient;
    private final Sources sources;
    private final Executor loop;
    private final Consumer<Expanded> then;
    private final EnvelopeMaker maker;
    private final ExpanderTrace trace;
    private final Deque<Node> work = new ArrayDeque<>();
    private final Set<Node.Key> seen = new HashSet<>();
    private final Set<Visit> visits = new HashSet<>();
    private final Set<Envelope> deliveries = new LinkedHashSet<>();
    private int nodes;
    private int depth;
    private boolean running;
    private boolean waiting;
    private boolean done;

    /** A {@code .forward} is consulted once for each address that leads to its user. */
    private record Visit(Node address, String user) {}

    /**
     * @param session for the log
     * @param nowSeconds time of creation of the envelopes
     * @param then called once, on the loop, perhaps before {@link #start} returns
     */
    public Expander(
            long session,
            Recipient recipient,
            Sources sources,
            Executor loop,
            long nowSeconds,
            Consumer<Expanded> then) {
        this.session = session;
        this.recipient = recipient;
        this.sources = sources;
        this.loop = loop;
        this.then = then;
        this.trace = new ExpanderTrace(session, sources.config());
        this.maker = new EnvelopeMaker(recipient, sources.config(), sources.onlyUser(), nowSeconds);
    }

    public void start() {
        insert(List.of(new Value.Address(recipient.rcpt())), null, Origin.RCPT);
        run();
    }

    /** Ends it from outside, as a temporary refusal; answers that still come are dropped. */
    public void giveUp(String why) {
        refuse(Refused.noAnswer(why));
    }

    public boolean isDone() {
        return done;
    }

    private void run() {
        if (running) {
            return;
        }
        running = true;
        int turn = 0;
        while (!done && !waiting) {
            Node node = work.poll();
            if (node == null) {
                finish();
            } else if (++turn > NODES_PER_TURN) {
                work.push(node);
                waiting = true;
                loop.execute(
                        () -> {
                            waiting = false;
                            run();
                        });
            } else {
                step(node);
            }
        }
        running = false;
    }

    /** Parks the expansion until the answer is there; one that comes too late changes nothing. */
    private <T> Consumer<T> parked(Consumer<T> answered) {
        waiting = true;
        return answer -> {
            if (!done) {
                // Before, not after: the answer may lead to the next question.
                waiting = false;
                answered.accept(answer);
                run();
            }
        };
    }

    private void step(Node node) {
        depth = Math.max(depth, node.depth);
        trace.taken(node);
        if (node.depth >= MAX_DEPTH) {
            trace.tooDeep(node);
            refuse(Refused.deadEnd("more than " + MAX_DEPTH + " levels"));
            return;
        }
        switch (node.value) {
            case Value.Address(MailAddress address) -> address(node, address);
            case Value.Username(String name) -> username(node, name);
            case Value.Filename(String path) -> directly(node, path);
            case Value.Command(String text) -> directly(node, text);
            case Value.Include(String path) ->
                    sources.include(path, parked(bytes -> included(node, path, bytes)));
            case Value.Refuse(String reply) -> {
                if (isForwardOnly(node)) {
                    refuse(Refused.misconfigured("error: on a forward-only rule"));
                } else {
                    refuse(Refused.text(reply, "error: entry"));
                }
            }
        }
    }

    // ---- addresses

    private void address(Node node, MailAddress address) {
        Verdict verdict =
                sources.rules()
                        .match(recipient.subject(address, node.parent != null), sources.tables());
        trace.ruled(verdict);
        switch (verdict) {
            case Verdict.Rejected _ -> refuse(Refused.relayDenied());
            case Verdict.Failed(String why) -> refuse(Refused.noAnswer(why));
            case Verdict.Accepted accepted -> {
                node.rule = accepted.rule();
                node.action = accepted.action();
                switch (accepted.action()) {
                    case Action.Remote _ -> deliver(node);
                    case Action.Local local -> localAddress(node, address, local);
                }
            }
        }
    }

    private void localAddress(Node node, MailAddress address, Action.Local local) {
        String user = fold(address.local());
        if (local.expansion() instanceof Expansion.Virtual(TableRef table)) {
            String[] keys = virtualKeys(user, fold(address.domain()));
            if (!replaced(node, table, keys) && !done) {
                refuse(Refused.deadEnd("not in the virtual table"));
            }
        } else {
            insert(List.of(new Value.Username(user)), node, node.origin);
        }
    }

    /** {@code u+s@d u@d u+s u @d @}. */
    private String[] virtualKeys(String name, String domain) {
        String user = userPart(name);
        boolean tagged = user.length() < name.length();
        return tagged
                ? new String[] {
                    name + "@" + domain, user + "@" + domain, name, user, "@" + domain, "@"
                }
                : new String[] {name + "@" + domain, name, "@" + domain, "@"};
    }

    /** Puts the values of the first key that is found in the place of the node. */
    private boolean replaced(Node node, TableRef table, String... keys) {
        for (String key : keys) {
            switch (sources.tables().find(table, Service.ALIAS, key)) {
                case Lookup.NotFound _ -> {}
                case Lookup.Failed(String why) -> {
                    refuse(Refused.unreadable("table " + table.name() + ": " + why));
                    return false;
                }
                case Lookup.Found(String text) -> {
                    try {
                        insert(ValueParser.mapping(text), node, Origin.MAPPING);
                        return true;
                    } catch (BadValue e) {
                        String why =
                                "table " + table.name() + " key " + key + ": " + e.getMessage();
                        refuse(Refused.unreadable(why));
                        return false;
                    }
                }
            }
        }
        return false;
    }

    // ---- users

    private void username(Node node, String name) {
        String user = userPart(name);
        Optional<TableRef> mapping = node.mapping();
        if (!node.sameUser && mapping.isPresent()) {
            boolean tagged = user.length() < name.length();
            String[] keys = tagged ? new String[] {name, user} : new String[] {name};
            if (replaced(node, mapping.get(), keys) || done) {
                return;
            }
        }
        node.tag = user.length() < name.length() ? name.substring(user.length() + 1) : "";
        if (user.isEmpty() || user.length() > MAX_NAME) {
            refuse(Refused.unknownUser(user));
            return;
        }
        sources.user(node.userbase(), user, parked(answer -> userKnown(node, user, answer)));
    }

    private void userKnown(Node node, String name, UserAnswer answer) {
        switch (answer) {
            case UserAnswer.Missing _ -> refuse(Refused.unknownUser(name));
            case UserAnswer.Failed(String why) -> refuse(Refused.noAnswer(why));
            case UserAnswer.Found found -> {
                node.user = found;
                Action.Local local = (Action.Local) node.action;
                boolean hisOwn = node.sameUser && node.parent.forwarded;
                boolean otherUser = local.user().isPresent() && !local.user().get().equals(name);
                if (hisOwn) {
                    trace.forward(name, "not consulted again, it names its own user");
                    deliver(node);
                } else if (otherUser) {
                    trace.forward(name, "not consulted, the action names another user");
                    deliver(node);
                } else if (!visits.add(new Visit(node.address(), name))) {
                    trace.forward(name, "not consulted twice for one address");
                    deliver(node);
                } else {
                    sources.forward(found, parked(file -> forwardRead(node, name, file)));
                }
            }
        }
    }

    private void forwardRead(Node node, String name, ForwardAnswer answer) {
        switch (answer) {
            case ForwardAnswer.None _ -> {
                trace.forward(name, "no file");
                withoutForward(node);
            }
            case ForwardAnswer.Unusable(String why) -> {
                trace.forward(name, why);
                refuse(Refused.unreadable(".forward of " + name + ": " + why));
            }
            case ForwardAnswer.Content(byte[] bytes) -> {
                String why = forward(node, name, bytes);
                if (why != null) {
                    trace.forward(name, why);
                    LogLine.of(session, "lka", "forward")
                            .add("user", name)
                            .add("result", "bad")
                            .add("why", why)
                            .info(LOG);
                    refuse(Refused.unreadable(".forward of " + name + ": " + why));
                }
            }
        }
    }

    /** What is wrong with the file, or null. */
    private String forward(Node node, String name, byte[] bytes) {
        if (bytes.length >= MAX_FORWARD_BYTES) {
            return MAX_FORWARD_BYTES + " bytes or more";
        }
        List<Value> values;
        try {
            values = new ArrayList<>(TargetFile.parse(bytes));
        } catch (BadValue e) {
            return e.getMessage();
        }
        if (values.size() > MAX_FORWARD_NODES) {
            return "more than " + MAX_FORWARD_NODES + " targets";
        }
        // The user must not read through us what only we may read.
        if (values.removeIf(Value.Include.class::isInstance)) {
            LogLine.of(session, "lka", "forward")
                    .add("user", name)
                    .add("result", "include-ignored")
                    .info(LOG);
        }
        node.forwarded = true;
        int inserted = insert(values, node, Origin.FORWARD);
        trace.forward(name, inserted + " new targets");
        if (inserted == 0 && !done) {
            withoutForward(node);
        }
        return null;
    }

    /** No file, an empty one, or one that names nothing new. */
    private void withoutForward(Node node) {
        switch (((Action.Local) node.action).delivery()) {
            case Delivery.ForwardOnly() ->
                    refuse(Refused.unreadable("forward-only, and no .forward"));
            case Delivery.ExpandOnly() -> refuse(Refused.deadEnd("expand-only, and no .forward"));
            default -> deliver(node);
        }
    }

    // ---- files, commands, included lists

    private void directly(Node node, String what) {
        Node user = node.userNode();
        boolean isRoot =
                user != null
                        && (user.user != null
                                ? user.user.uid() == 0
                                : userPart(((Value.Username) user.value).name()).equals("root"));
        if (isRoot) {
            refuse(Refused.misconfigured("file or command for root: " + what));
        } else if (isForwardOnly(node)) {
            refuse(Refused.misconfigured("file or command on a forward-only rule: " + what));
        } else {
            deliver(node);
        }
    }

    private void included(Node node, String path, byte[] bytes) {
        try {
            if (bytes == null) {
                // A mailing list whose file is gone must not turn into "no such user".
                if (node.alone) {
                    refuse(Refused.unreadable("cannot read " + path));
                }
                return;
            }
            List<Value> values = new ArrayList<>(TargetFile.parse(bytes));
            if (values.removeIf(Value.Include.class::isInstance)) {
                LogLine.of(session, "lka", "include")
                        .add("path", path)
                        .add("result", "nested-ignored")
                        .info(LOG);
            }
            insert(values, node.parent, node.origin);
        } catch (BadValue e) {
            refuse(Refused.unreadable(path + ": " + e.getMessage()));
        }
    }

    // ---- the tree

    /** Puts children in front of the work, in their order; known ones are dropped. */
    private int insert(List<Value> values, Node parent, Origin origin) {
        boolean onlyIncludes = values.stream().allMatch(Value.Include.class::isInstance);
        List<Node> added = new ArrayList<>(values.size());
        for (Value value : values) {
            Value folded = folded(value);
            boolean sameUser = isSameUser(folded, parent);
            Node node = new Node(folded, parent, origin, onlyIncludes, sameUser);
            if (seen.add(node.key())) {
                added.add(node);
                trace.inserted(node);
            } else {
                trace.duplicate(node);
            }
        }
        nodes += added.size();
        if (nodes > MAX_NODES) {
            refuse(Refused.deadEnd("more than " + MAX_NODES + " targets"));
        }
        for (int i = added.size() - 1; i >= 0; i--) {
            work.push(added.get(i));
        }
        return added.size();
    }

    private static Value folded(Value value) {
        return value instanceof Value.Username(String name)
                ? new Value.Username(fold(name))
                : value;
    }

    private boolean isSameUser(Value value, Node parent) {
        return value instanceof Value.Username(String name)
                && parent != null
                && parent.value instanceof Value.Username(String above)
                && userPart(name).equals(userPart(above));
    }

    private void deliver(Node node) {
        Refused refused = maker.check(node);
        if (refused != null) {
            refuse(refused);
            return;
        }
        try {
            deliveries.add(maker.make(node));
            trace.delivered(node);
        } catch (IllegalArgumentException e) {
            refuse(Refused.noAnswer("no envelope can hold it: " + e.getMessage()));
        }
    }

    private void finish() {
        if (deliveries.isEmpty()) {
            refuse(Refused.deadEnd("nothing left"));
            return;
        }
        done = true;
        then.accept(new Expanded.Accepted(List.copyOf(deliveries)));
    }

    private void refuse(Refused refused) {
        if (done) {
            return;
        }
        done = true;
        LogLine.of(session, "lka", "expand-failed")
                .address("rcpt", recipient.rcpt())
                .add("reason", refused.reason().name().toLowerCase(Locale.ROOT))
                .add("nodes", nodes)
                .add("depth", depth)
                .add("why", refused.why())
                .info(LOG);
        then.accept(refused);
    }

    private static boolean isForwardOnly(Node node) {
        return node.action instanceof Action.Local local
                && local.delivery() instanceof Delivery.ForwardOnly;
    }

    private String userPart(String name) {
        int cut = name.indexOf(sources.config().subAddressDelimiter());
        return cut < 0 ? name : name.substring(0, cut);
    }

    private static String fold(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
