package smtpd.mta;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import smtpd.conf.Config;
import smtpd.envelope.Envelope;
import smtpd.envelope.EnvelopeText;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.envelope.Verdict;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.StoredEnvelope;
import smtpd.log.LogLine;
import smtpd.mta.route.Letter;
import smtpd.mta.route.Message;
import smtpd.mta.route.Outside;
import smtpd.mta.route.RelayKey;
import smtpd.mta.route.Relays;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;

/**
 * Takes hand-overs apart: each envelope to the relay it is for, by way of lka where a table says.
 */
final class Intake {

    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

    /**
     * One question serves all recipients of a domain in a message: a list stays one transaction.
     */
    private record Question(String table, Msgid msgid, String domain) {}

    private record Waiting(Evpid evpid, Envelope envelope, Addressing.Options options) {}

    private final Relays relays;
    private final Contents contents;
    private final Questions questions;
    private final Consumer<Outside.Outcome> answer;
    private final Map<Question, List<Waiting>> open = new HashMap<>();
    private Addressing addressing;
    private long configId;

    Intake(
            Relays relays,
            Contents contents,
            Questions questions,
            Consumer<Outside.Outcome> answer) {
        this.relays = relays;
        this.contents = contents;
        this.questions = questions;
        this.answer = answer;
    }

    void configure(Config config) {
        addressing = new Addressing(config);
        configId = config.configId();
    }

    void take(QueueToAgent.Transfer transfer, int fd) {
        Message message = contents.take(transfer, fd);
        Set<RelayKey> touched = new LinkedHashSet<>();
        Map<Question, Waiting> asked = new LinkedHashMap<>();
        for (StoredEnvelope stored : transfer.envelopes()) {
            take(message, stored, touched, asked);
        }
        begin(message, touched);
        asked.forEach((question, first) -> ask(message, question, first));
        if (asked.isEmpty()) {
            contents.drop(message);
        }
    }

    private void take(
            Message message,
            StoredEnvelope stored,
            Set<RelayKey> touched,
            Map<Question, Waiting> asked) {
        if (!(EnvelopeText.parse(stored.text()) instanceof Verdict.Usable usable)) {
            LogLine.of("mta", "bad-envelope").add("evpid", stored.evpid()).warn(LOG);
            refuse(
                    stored.evpid(),
                    "",
                    Result.deferred(Reason.LOCAL_TEMPFAIL, "451 4.3.0 Envelope unreadable"));
            return;
        }
        Envelope envelope = usable.envelope();
        switch (addressing.way(envelope)) {
            case Addressing.Way.To to -> add(message, stored.evpid(), envelope, to.key(), touched);
            case Addressing.Way.No no ->
                    refuse(stored.evpid(), envelope.dest().toString(), no.result());
            case Addressing.Way.Ask ask -> {
                Question question =
                        new Question(
                                ask.table(),
                                message.id(),
                                Addressing.domain(envelope.dest().domain()));
                Waiting waiting = new Waiting(stored.evpid(), envelope, ask.options());
                List<Waiting> others = open.get(question);
                if (others == null) {
                    others = new ArrayList<>();
                    open.put(question, others);
                    asked.put(question, waiting);
                }
                others.add(waiting);
            }
        }
    }

    private void add(
            Message message, Evpid evpid, Envelope envelope, RelayKey key, Set<RelayKey> touched) {
        relays.add(key, addressing.task(envelope, message), Addressing.letter(evpid, envelope));
        touched.add(key);
    }

    /** A loop is found before anything is sent. */
    private void begin(Message message, Set<RelayKey> touched) {
        contents.checkHops(message);
        touched.forEach(relays::begin);
    }

    private void ask(Message message, Question question, Waiting first) {
        questions.ask(
                new MtaToLka.SmartHost(configId, question.table(), first.envelope().dest()),
                given -> {
                    List<Waiting> all = open.remove(question);
                    Set<RelayKey> touched = new LinkedHashSet<>();
                    for (Waiting waiting : all) {
                        placed(message, waiting, given, touched);
                    }
                    begin(message, touched);
                    contents.drop(message);
                });
    }

    private void placed(Message message, Waiting waiting, LkaToMta given, Set<RelayKey> touched) {
        Addressing.Way way;
        if (given instanceof LkaToMta.SmartHostIs is
                && is.outcome().isOk()
                && !is.relay().isEmpty()) {
            way = addressing.host(is.relay(), waiting.options());
        } else {
            way =
                    new Addressing.Way.No(
                            Result.deferred(
                                    Reason.LOCAL_TEMPFAIL, "451 4.3.5 Cannot retrieve smarthost"));
        }
        switch (way) {
            case Addressing.Way.To to ->
                    add(message, waiting.evpid(), waiting.envelope(), to.key(), touched);
            case Addressing.Way.No no ->
                    refuse(waiting.evpid(), waiting.envelope().dest().toString(), no.result());
            case Addressing.Way.Ask _ -> throw new IllegalStateException("a host asks again");
        }
    }

    private void refuse(Evpid evpid, String dest, Result result) {
        Letter letter = new Letter(evpid, dest, dest, "", "", 0, 0);
        answer.accept(new Outside.Outcome(null, List.of(letter), result, null, false, ""));
    }

    /** Envelopes that wait for the answer of a table. */
    void addTo(List<Evpid> evpids) {
        open.values().forEach(list -> list.forEach(waiting -> evpids.add(waiting.evpid())));
    }
}
