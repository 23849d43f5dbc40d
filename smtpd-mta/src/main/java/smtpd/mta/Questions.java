package smtpd.mta;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.Resolve;
import smtpd.imsg.Role;
import smtpd.proc.Edge;
import smtpd.proc.Pending;
import smtpd.stat.Stat;
import smtpd.stat.Stats;

/**
 * Questions to lka. While it is away they wait, a minute at most, and are asked again when it
 * returns; then, or when an answer does not come, the asker hears null.
 */
final class Questions {

    static final String NO_LOOKUP = "451 4.3.0 Look-up service not available";
    private static final long PATIENCE_MILLIS = 60_000;
    private static final long DNS_MILLIS = 300_000;
    private static final long TABLE_MILLIS = 120_000;

    private static final class Question {
        final MtaToLka message;
        final Consumer<LkaToMta> answer;
        final long askedNanos;
        boolean done;

        Question(MtaToLka message, Consumer<LkaToMta> answer, long askedNanos) {
            this.message = message;
            this.answer = answer;
            this.askedNanos = askedNanos;
        }
    }

    private final EventLoop loop;
    private final Edge<MtaToLka> lka;
    private final LongSupplier ids;
    private final Pending<Question> pending;
    private final ArrayDeque<Question> waiting = new ArrayDeque<>();
    private final Stats stats;

    Questions(EventLoop loop, Edge<MtaToLka> lka, LongSupplier ids, Stats stats) {
        this.loop = loop;
        this.lka = lka;
        this.ids = ids;
        this.stats = stats;
        this.pending =
                new Pending<>(
                        loop,
                        question -> {
                            stats.increment(Stat.IMSG_TIMEOUT);
                            end(question, null);
                        });
    }

    void ask(MtaToLka message, Consumer<LkaToMta> answer) {
        send(new Question(message, answer, System.nanoTime()));
    }

    private void send(Question question) {
        long id = ids.getAsLong();
        if (!lka.send(id, question.message)) {
            park(question);
            return;
        }
        long patience = question.message instanceof Resolve ? DNS_MILLIS : TABLE_MILLIS;
        pending.add(id, patience, EnumSet.of(Role.LKA), question);
    }

    private void park(Question question) {
        long age = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - question.askedNanos);
        waiting.add(question);
        loop.schedule(
                () -> {
                    if (waiting.remove(question)) {
                        end(question, null);
                    }
                },
                Math.max(0, PATIENCE_MILLIS - age),
                TimeUnit.MILLISECONDS);
    }

    private static void end(Question question, LkaToMta answer) {
        if (!question.done) {
            question.done = true;
            question.answer.accept(answer);
        }
    }

    void answered(long id, LkaToMta message) {
        Question question = pending.take(id);
        if (question == null) {
            stats.increment(Stat.IMSG_LATE);
        } else {
            end(question, message);
        }
    }

    void lost() {
        pending.lost(Role.LKA).forEach(this::park);
    }

    void joined() {
        ArrayDeque<Question> again = new ArrayDeque<>(waiting);
        waiting.clear();
        again.forEach(this::send);
    }
}
