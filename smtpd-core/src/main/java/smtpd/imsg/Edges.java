package smtpd.imsg;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Which processes talk, what each direction may carry, and which edges pass descriptors. The parent
 * makes exactly these socket pairs, beside the pair that joins it with each child.
 */
public final class Edges {

    /**
     * Two children that talk.
     *
     * @param descriptors the edge has a second socket pair, for descriptors
     */
    public record Pair(Role a, Role b, boolean descriptors) {

        public boolean has(Role role) {
            return a == role || b == role;
        }

        public Role other(Role role) {
            return a == role ? b : a;
        }
    }

    public static final List<Pair> PAIRS =
            List.of(
                    new Pair(Role.CONTROL, Role.SMTP, false),
                    new Pair(Role.CONTROL, Role.MFA, false),
                    new Pair(Role.CONTROL, Role.LKA, false),
                    new Pair(Role.CONTROL, Role.QUEUE, false),
                    new Pair(Role.CONTROL, Role.SCHEDULER, false),
                    new Pair(Role.CONTROL, Role.MTA, false),
                    new Pair(Role.CONTROL, Role.MDA, false),
                    new Pair(Role.SMTP, Role.LKA, false),
                    new Pair(Role.SMTP, Role.QUEUE, true),
                    new Pair(Role.LKA, Role.QUEUE, false),
                    new Pair(Role.LKA, Role.MTA, false),
                    new Pair(Role.LKA, Role.MDA, false),
                    new Pair(Role.QUEUE, Role.SCHEDULER, false),
                    new Pair(Role.QUEUE, Role.MTA, true),
                    new Pair(Role.QUEUE, Role.MDA, true));

    private static final Map<Role, Class<? extends Message>> RECEIVERS = new EnumMap<>(Role.class);

    static {
        RECEIVERS.put(Role.PARENT, ToParent.class);
        RECEIVERS.put(Role.CONTROL, ToControl.class);
        RECEIVERS.put(Role.SMTP, ToSmtp.class);
        RECEIVERS.put(Role.MFA, ToMfa.class);
        RECEIVERS.put(Role.LKA, ToLka.class);
        RECEIVERS.put(Role.QUEUE, ToQueue.class);
        RECEIVERS.put(Role.SCHEDULER, ToScheduler.class);
        RECEIVERS.put(Role.MTA, ToMta.class);
        RECEIVERS.put(Role.MDA, ToMda.class);
    }

    private Edges() {}

    /** The sealed interface of everything {@code role} may hear. */
    public static Class<? extends Message> receiver(Role role) {
        return RECEIVERS.get(role);
    }

    /** What {@code from} may say to {@code to}. Empty when they do not talk. */
    public static List<Class<? extends Message>> interfaces(Role from, Role to) {
        List<Class<? extends Message>> found = new ArrayList<>();
        if (from == Role.PARENT && to != Role.PARENT) {
            found.add(ParentToChild.class);
        } else if (to == Role.PARENT) {
            found.add(ChildToParent.class);
        } else if (from == Role.CONTROL) {
            found.add(ControlToChild.class);
        } else if (to == Role.CONTROL) {
            found.add(ChildToControl.class);
        }
        switch (from) {
            case PARENT -> {
                switch (to) {
                    case CONTROL -> found.add(ParentToControl.class);
                    case SMTP -> found.add(ParentToSmtp.class);
                    case LKA -> found.add(ParentToLka.class);
                    default -> {}
                }
            }
            case CONTROL -> {
                switch (to) {
                    case PARENT -> found.add(ControlToParent.class);
                    case SMTP -> found.add(ControlToSmtp.class);
                    case LKA -> found.add(ControlToLka.class);
                    case QUEUE -> found.add(ControlToQueue.class);
                    case SCHEDULER -> found.add(ControlToScheduler.class);
                    case MTA -> found.add(ControlToMta.class);
                    case MDA -> found.add(ControlToMda.class);
                    default -> {}
                }
            }
            case SMTP -> {
                switch (to) {
                    case LKA -> found.add(SmtpToLka.class);
                    case QUEUE -> found.add(SmtpToQueue.class);
                    default -> {}
                }
            }
            case LKA -> {
                switch (to) {
                    case PARENT -> found.add(LkaToParent.class);
                    case SMTP -> found.add(LkaToSmtp.class);
                    case QUEUE -> found.add(LkaToQueue.class);
                    case MTA -> found.add(LkaToMta.class);
                    case MDA -> found.add(LkaToMda.class);
                    default -> {}
                }
            }
            case QUEUE -> {
                switch (to) {
                    case CONTROL -> found.add(QueueToControl.class);
                    case SMTP -> found.add(QueueToSmtp.class);
                    case LKA -> found.add(QueueToLka.class);
                    case SCHEDULER -> found.add(QueueToScheduler.class);
                    case MTA -> found.add(QueueToMta.class);
                    case MDA -> found.add(QueueToMda.class);
                    default -> {}
                }
            }
            case SCHEDULER -> {
                switch (to) {
                    case CONTROL -> found.add(SchedulerToControl.class);
                    case QUEUE -> found.add(SchedulerToQueue.class);
                    default -> {}
                }
            }
            case MTA -> {
                switch (to) {
                    case LKA -> found.add(MtaToLka.class);
                    case QUEUE -> found.add(MtaToQueue.class);
                    default -> {}
                }
            }
            case MDA -> {
                switch (to) {
                    case LKA -> found.add(MdaToLka.class);
                    case QUEUE -> found.add(MdaToQueue.class);
                    default -> {}
                }
            }
            case MFA -> {}
        }
        return found;
    }

    /** True where a frame may carry mail content, and so be larger. */
    public static int cap(Role from, Role to) {
        boolean content =
                (from == Role.SMTP && to == Role.QUEUE)
                        || (from == Role.QUEUE && (to == Role.MTA || to == Role.MDA));
        return content ? FrameHeader.CONTENT_CAP : FrameHeader.CAP;
    }
}
