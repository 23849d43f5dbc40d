package smtpd.lka.table;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import smtpd.lka.rule.RuleSet;
import smtpd.sys.SysException;
import smtpd.sys.User;
import smtpd.table.Lookup;
import smtpd.table.Service;
import smtpd.table.TableRef;

/**
 * Users, from the system or from a table of {@code uid:gid:home}. The system's database may stand
 * behind a directory server, so it is asked on an executor and only so long; the same name is asked
 * once for all who wait. Belongs to the event loop.
 */
public final class Userbase {

    /** Name of the system's database where a table is named. */
    public static final TableRef SYSTEM = new TableRef("<getpwnam>");

    private static final int MAX_NAME = 255;
    private static final int MAX_KEPT = 10_000;
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long TIMEOUT_SECONDS = 10;
    private static final long NO_ID = 0xffffffffL;

    /** The system's database. */
    @FunctionalInterface
    public interface Source {
        Optional<User> byName(String name) throws SysException;
    }

    private record Kept(UserAnswer.Found user, long expiresNanos) {}

    private static final class Question {
        final List<Consumer<UserAnswer>> askers = new ArrayList<>(1);
        ScheduledFuture<?> timer;
    }

    private final Source system;
    private final Executor executor;
    private final EventLoop loop;
    private final Map<String, Question> open = new HashMap<>();
    private final Map<String, Kept> kept =
            new LinkedHashMap<>(64, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Kept> eldest) {
                    return size() > MAX_KEPT;
                }
            };

    /**
     * @param executor bounded; its refusal is a temporary failure
     */
    public Userbase(Source system, Executor executor, EventLoop loop) {
        this.system = system;
        this.executor = executor;
        this.loop = loop;
    }

    /**
     * Looks a name up.
     *
     * @param table absent: the system's database
     * @param name lower case, without tag
     * @param then called on the loop, perhaps before this returns
     */
    public void find(
            RuleSet.Tables tables,
            Optional<TableRef> table,
            String name,
            Consumer<UserAnswer> then) {
        if (!isUsable(name)) {
            then.accept(UserAnswer.MISSING);
        } else if (isSystem(table)) {
            system(name, then);
        } else {
            then.accept(fromTable(name, tables.find(table.get(), Service.USERINFO, name)));
        }
    }

    /** Whether the system's database is meant; absent: it is. */
    public static boolean isSystem(Optional<TableRef> table) {
        return table.isEmpty() || table.get().equals(SYSTEM);
    }

    /** Forgets all that is kept. */
    public void clear() {
        kept.clear();
    }

    /** A name that could leave its folder or be taken for an option is nobody's. */
    private static boolean isUsable(String name) {
        return !name.isEmpty()
                && name.length() <= MAX_NAME
                && name.charAt(0) != '-'
                && name.indexOf('/') < 0
                && name.indexOf('\0') < 0
                && !name.equals(".")
                && !name.equals("..");
    }

    private void system(String name, Consumer<UserAnswer> then) {
        Kept known = kept.get(name);
        if (known != null && System.nanoTime() - known.expiresNanos < 0) {
            then.accept(known.user);
            return;
        }
        Question question = open.get(name);
        if (question != null) {
            question.askers.add(then);
            return;
        }
        Question asked = new Question();
        asked.askers.add(then);
        try {
            executor.execute(
                    () -> {
                        UserAnswer answer = ask(name);
                        loop.execute(() -> answered(name, asked, answer));
                    });
        } catch (RejectedExecutionException e) {
            then.accept(new UserAnswer.Failed("too many questions to the user database"));
            return;
        }
        open.put(name, asked);
        asked.timer =
                loop.schedule(
                        () ->
                                answered(
                                        name,
                                        asked,
                                        new UserAnswer.Failed("the user database is silent")),
                        TIMEOUT_SECONDS,
                        TimeUnit.SECONDS);
    }

    private UserAnswer ask(String name) {
        try {
            Optional<User> user = system.byName(name);
            return user.isEmpty() ? UserAnswer.MISSING : usable(user.get());
        } catch (SysException e) {
            return new UserAnswer.Failed(String.valueOf(e.getMessage()));
        }
    }

    private static UserAnswer usable(User user) {
        if (!isUsableHome(user.home())) {
            return new UserAnswer.Failed("home of " + user.name() + " is not absolute");
        }
        if (user.uid() == -1 || user.gid() == -1) {
            return new UserAnswer.Failed("uid or gid of " + user.name() + " is 4294967295");
        }
        return new UserAnswer.Found(user.name(), user.uid(), user.gid(), user.home());
    }

    /** Whoever comes second, answer or timer, finds the question gone. */
    private void answered(String name, Question question, UserAnswer answer) {
        if (!open.remove(name, question)) {
            return;
        }
        question.timer.cancel(false);
        if (answer instanceof UserAnswer.Found found) {
            kept.put(name, new Kept(found, System.nanoTime() + KEPT_NANOS));
        }
        question.askers.forEach(asker -> asker.accept(answer));
    }

    private static UserAnswer fromTable(String name, Lookup lookup) {
        return switch (lookup) {
            case Lookup.Found(String value) -> parse(name, value);
            case Lookup.NotFound _ -> UserAnswer.MISSING;
            case Lookup.Failed(String why) -> new UserAnswer.Failed(why);
        };
    }

    /** {@code uid:gid:home}. */
    private static UserAnswer parse(String name, String value) {
        int first = value.indexOf(':');
        int second = first < 0 ? -1 : value.indexOf(':', first + 1);
        if (second < 0) {
            return new UserAnswer.Failed("userinfo of " + name + " is not uid:gid:home");
        }
        long uid = number(value.substring(0, first).strip());
        long gid = number(value.substring(first + 1, second).strip());
        String home = value.substring(second + 1).strip();
        if (uid < 0 || gid < 0 || !isUsableHome(home)) {
            return new UserAnswer.Failed("userinfo of " + name + " has a bad number or home");
        }
        return new UserAnswer.Found(name, (int) uid, (int) gid, home);
    }

    private static boolean isUsableHome(String home) {
        return home.startsWith("/") && !home.contains("/../") && !home.endsWith("/..");
    }

    /** An id, or -1; the highest number means "no id" to the kernel. */
    private static long number(String text) {
        if (text.isEmpty() || text.length() > 10) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return value < NO_ID ? value : -1;
    }
}
