package smtpd.mta;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
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
import smtpd.envelope.Verdict;
import smtpd.imsg.QueueToAgent;
import smtpd.imsg.StoredEnvelope;
import smtpd.log.LogLine;
import smtpd.mta.route.Letter;
import smtpd.mta.route.Message;
import smtpd.mta.route.Outside;
import smtpd.mta.route.Relays;
import smtpd.mta.session.Reason;
import smtpd.mta.session.Result;

/**
 * Takes hand-overs apart: each envelope to the relay it is for, by way of lka where a table says.
 */
final class Intake {

    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

    private static final String NO_HOST = "451 4.3.5 Cannot retrieve smarthost";

    private record Place(String table, String domain) {}

    private record Waiting(Evpid evpid, Envelope envelope, Addressing.Options options) {}

    private final Relays relays;
    private final Contents contents;
    private final SmartHosts hosts;
    private final Consumer<Outside.Outcome> answer;
    private final Set<Evpid> unplaced = new HashSet<>();
    private Addressing addressing;

    Intake(Relays relays, Contents contents, SmartHosts hosts, Consumer<Outside.Outcome> answer) {
        this.relays = relays;
        this.contents = contents;
        this.hosts = hosts;
        this.answer = answer;
    }

    void configure(Config config) {
        addressing = new Addressing(config);
        hosts.configure(config.configId());
    }

    void take(QueueToAgent.Transfer transfer, int fd) {
        Message message = contents.take(transfer, fd);
        Map<Place, List<Waiting>> asked = new LinkedHashMap<>();
        for (StoredEnvelope stored : transfer.envelopes()) {
            take(message, stored, asked);
        }
        begin(message);
        asked.forEach((place, waiting) -> ask(message, place, waiting));
        contents.drop(message);
    }

    private void take(Message message, StoredEnvelope stored, Map<Place, List<Waiting>> asked) {
        if (!(EnvelopeText.parse(stored.text()) instanceof Verdict.Usable usable)) {
            LogLine.of("mta", "bad-envelope").add("evpid", stored.evpid()).warn(LOG);
            refuse(
                    stored.evpid(),
                    "",
                    Result.deferred(Reason.LOCAL_TEMPFAIL, "451 4.3.0 Envelope unreadable"));
            return;
        }
        Envelope envelope = usable.envelope();
        Addressing.Way way = addressing.way(envelope);
        if (way instanceof Addressing.Way.Ask ask) {
            List<String> known = hosts.known(ask.table(), message.id(), envelope.dest());
            if (known == null) {
                unplaced.add(stored.evpid());
                message.unplaced(1);
                asked.computeIfAbsent(
                                new Place(ask.table(), Addressing.domain(envelope.dest().domain())),
                                _ -> new ArrayList<>())
                        .add(new Waiting(stored.evpid(), envelope, ask.options()));
                return;
            }
            way = addressing.hosts(new SmartHosts.Answer(known, NO_HOST), ask.options());
        }
        place(message, stored.evpid(), envelope, way);
    }

    private void place(Message message, Evpid evpid, Envelope envelope, Addressing.Way way) {
        switch (way) {
            case Addressing.Way.To to ->
                    relays.add(
                            to.key(),
                            addressing.task(envelope, message, to.others()),
                            Addressing.letter(evpid, envelope));
            case Addressing.Way.No no -> refuse(evpid, envelope.dest().toString(), no.result());
            case Addressing.Way.Ask _ -> throw new IllegalStateException("a host asks again");
        }
    }

    /** A loop is found before anything is sent. */
    private void begin(Message message) {
        contents.checkHops(message);
        relays.begin();
    }

    /** One question serves all recipients of a domain in a message. */
    private void ask(Message message, Place place, List<Waiting> waiting) {
        hosts.ask(
                place.table(),
                message.id(),
                waiting.getFirst().envelope().dest(),
                given -> {
                    for (Waiting each : waiting) {
                        unplaced.remove(each.evpid());
                        Addressing.Way way = addressing.hosts(given, each.options());
                        place(message, each.evpid(), each.envelope(), way);
                    }
                    message.unplaced(-waiting.size());
                    begin(message);
                    contents.drop(message);
                });
    }

    private void refuse(Evpid evpid, String dest, Result result) {
        Letter letter = new Letter(evpid, dest, dest, "", "", 0, 0);
        answer.accept(new Outside.Outcome(null, List.of(letter), result, null, false, ""));
    }

    /** Envelopes that wait for the answer of a table. */
    void addTo(List<Evpid> evpids) {
        evpids.addAll(unplaced);
    }
}
