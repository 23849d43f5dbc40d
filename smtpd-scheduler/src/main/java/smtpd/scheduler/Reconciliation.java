package smtpd.scheduler;

import io.netty.util.collection.LongObjectHashMap;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.envelope.EnvelopeType;
import smtpd.envelope.Evpid;
import smtpd.imsg.Agent;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * What is true after a death: rows in flight with a dead agent return; after a death of the queue,
 * rows stay in flight only if their agent really holds them. Until that is known for an agent, no
 * batch goes to it, or a mail could be with it twice.
 */
final class Reconciliation {

    private static final Logger LOG = LoggerFactory.getLogger(Reconciliation.class);
    private static final Agent[] AGENTS = Agent.values();

    private final Schedule schedule;
    private final Stats stats;
    private final ArrayDeque<Landing> landings = new ArrayDeque<>();

    /** The queue has not yet told what this agent holds. */
    private final boolean[] isUnknown = {true, true, true};

    /**
     * Why else an agent is closed: losses not worked off, or waiting in line behind loaded mail.
     */
    private final int[] closings = new int[AGENTS.length];

    /** Rows of a snapshot whose parts are still coming; null between two. */
    private final BitSet[] reported = new BitSet[AGENTS.length];

    /** Reported by an agent, but not loaded yet: they will enter as in flight. */
    private final LongObjectHashMap<Agent> claimed = new LongObjectHashMap<>();

    Reconciliation(Schedule schedule, Stats stats) {
        this.schedule = schedule;
        this.stats = stats;
    }

    /**
     * Whether batches may go to this agent; the one of notices stands for Expire and Discard too.
     */
    boolean isOpen(Agent agent) {
        return !isUnknown[agent.ordinal()] && closings[agent.ordinal()] == 0;
    }

    /** Whether the queue still owes the snapshot of this agent. */
    boolean isUnknown(Agent agent) {
        return isUnknown[agent.ordinal()];
    }

    /** A loss or snapshot stands in line: nothing goes to the agent until it has been looked at. */
    void close(Agent agent) {
        closings[agent.ordinal()]++;
    }

    void unclose(Agent agent) {
        closings[agent.ordinal()]--;
    }

    void queueLost() {
        for (Agent agent : AGENTS) {
            isUnknown[agent.ordinal()] = true;
            reported[agent.ordinal()] = null;
        }
        claimed.clear();
    }

    /** The agent's incarnation ended; all results it had sent are here already. */
    void agentLost(Agent agent) {
        claimed.values().removeIf(a -> a == agent);
        int rows = schedule.flight(list(agent)).size();
        LOG.info("event=agent-lost agent={} rows={}", agent, rows);
        close(agent);
        landings.add(new Landing(agent, new BitSet(), false));
    }

    /** A part of what an agent holds. */
    void snapshot(Agent agent, List<Evpid> evpids, boolean more, long now) {
        int a = agent.ordinal();
        if (reported[a] == null) {
            reported[a] = new BitSet();
        }
        for (int i = 0; i < evpids.size(); i++) {
            long evpid = evpids.get(i).value();
            int row = schedule.table().find(evpid);
            if (row < 0) {
                claimed.put(evpid, agent);
            } else {
                schedule.claim(row, now);
                reported[a].set(row);
            }
        }
        if (!more) {
            close(agent);
            isUnknown[a] = false;
            landings.add(new Landing(agent, reported[a], agent == Agent.BOUNCE));
            reported[a] = null;
        }
    }

    /** A row was inserted; when an agent has it, it is in flight. */
    void inserted(int row, long now) {
        if (!claimed.isEmpty() && claimed.remove(schedule.table().evpid(row)) != null) {
            schedule.claim(row, now);
        }
        if (schedule.isWithAgent(row)) {
            // This is newer than a loss or snapshot that is still being worked off: so it stays.
            for (Landing landing : landings) {
                if (list(landing.agent) == schedule.table().type(row)) {
                    landing.held.set(row);
                }
            }
        }
    }

    /** An envelope is gone before it was loaded. */
    void gone(long evpid) {
        if (!claimed.isEmpty()) {
            claimed.remove(evpid);
        }
    }

    /** Everything has been loaded: what is claimed and not here does not exist. */
    void loaded() {
        claimed.clear();
    }

    /** Works off a piece; true when more is left. */
    boolean step(long now) {
        Landing first = landings.peek();
        if (first != null && first.step(now)) {
            landings.poll();
        }
        return !landings.isEmpty();
    }

    /** Rows that their agent does not hold return, and its hold queues end. */
    private final class Landing implements Job {
        private final Agent agent;
        private final BitSet held;
        private final ArrayDeque<Integer> lists = new ArrayDeque<>();
        private final ArrayDeque<Holds.Hold> holds;
        private int left = -1;

        Landing(Agent agent, BitSet held, boolean withEndings) {
            this.agent = agent;
            this.held = held;
            lists.add(list(agent));
            if (withEndings) {
                lists.add(Schedule.ENDINGS);
            }
            holds = new ArrayDeque<>(schedule.holds().of(agent.ordinal()));
        }

        @Override
        public boolean step(long now) {
            int room = PIECE;
            while (room > 0 && !lists.isEmpty()) {
                int list = lists.peek();
                RowList flight = schedule.flight(list);
                if (left < 0) {
                    left = flight.size();
                }
                // Each row is looked at once: those that stay go to the end. Rows that leave
                // meanwhile make us look at some twice, which changes nothing; new ones do not
                // come,
                // the agent is closed.
                for (; left > 0 && room > 0 && !flight.isEmpty(); left--, room--) {
                    land(list, flight.first(), now);
                }
                if (left == 0 || flight.isEmpty()) {
                    lists.poll();
                    left = -1;
                }
            }
            while (room > 0 && !holds.isEmpty()) {
                Holds.Hold hold = holds.peek();
                room -= schedule.release(hold, room, false, now);
                if (hold.rows.isEmpty()) {
                    holds.poll();
                }
            }
            if (!lists.isEmpty() || !holds.isEmpty()) {
                return false;
            }
            unclose(agent);
            return true;
        }

        private void land(int list, int row, long now) {
            if (held.get(row)) {
                schedule.confirm(list, row);
            } else {
                schedule.lost(row, now);
                stats.increment(Stat.SCHEDULER_AGENT_LOST);
            }
        }
    }

    private static int list(Agent agent) {
        return type(agent).ordinal();
    }

    static EnvelopeType type(Agent agent) {
        return switch (agent) {
            case MTA -> EnvelopeType.MTA;
            case MDA -> EnvelopeType.MDA;
            case BOUNCE -> EnvelopeType.BOUNCE;
        };
    }
}
