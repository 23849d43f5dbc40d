package smtpd.mta;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import smtpd.envelope.Msgid;
import smtpd.imsg.LkaToMta;
import smtpd.imsg.MtaToLka;
import smtpd.imsg.Outcome;
import smtpd.mail.MailAddress;

/**
 * The hosts that tables name, kept for a minute: a busy list costs no question per mail. The hosts
 * of a list take turns by message, not by recipient, else a list of two would cut every message in
 * two transactions.
 */
final class SmartHosts {

    private static final long KEPT_MILLIS = 60_000;
    private static final int MAX_KEPT = 10_000;
    private static final String NO_HOST = "451 4.3.5 Cannot retrieve smarthost";

    /**
     * What a table says.
     *
     * @param urls in the order to try; empty = none, and why says so
     * @param why text for the mail
     */
    record Answer(List<String> urls, String why) {}

    /** Domain empty = the table is a list, or not known yet. */
    private record Place(String table, String domain) {}

    private record Turn(String table, Msgid msgid) {}

    /** Something that ages. */
    private record Kept<T>(T what, long until) {}

    private record Asker(Msgid msgid, MailAddress recipient, Consumer<Answer> then) {}

    private final Questions questions;
    private final LongSupplier millis;
    private final Map<Place, Kept<List<String>>> kept = new LinkedHashMap<>();
    private final Map<Turn, Kept<Integer>> turns = new LinkedHashMap<>();
    private final Map<Place, List<Asker>> open = new HashMap<>();
    private final Set<String> mappings = new HashSet<>();
    private long configId;
    private int turn;

    SmartHosts(Questions questions, LongSupplier millis) {
        this.questions = questions;
        this.millis = millis;
    }

    /** Tables may say something else now. */
    void configure(long id) {
        configId = id;
        kept.clear();
        turns.clear();
        mappings.clear();
    }

    /** What is known without asking; null = it must be asked. */
    List<String> known(String table, Msgid msgid, MailAddress recipient) {
        Kept<List<String>> found = kept.get(place(table, recipient));
        if (found == null || found.until() <= millis.getAsLong()) {
            return null;
        }
        return inTurn(table, msgid, found.what());
    }

    private Place place(String table, MailAddress recipient) {
        return new Place(
                table, mappings.contains(table) ? Addressing.domain(recipient.domain()) : "");
    }

    void ask(String table, Msgid msgid, MailAddress recipient, Consumer<Answer> then) {
        Place place = place(table, recipient);
        List<Asker> askers = open.get(place);
        if (askers != null) {
            askers.add(new Asker(msgid, recipient, then));
            return;
        }
        askers = new ArrayList<>();
        askers.add(new Asker(msgid, recipient, then));
        open.put(place, askers);
        questions.ask(
                new MtaToLka.SmartHost(configId, table, recipient),
                given -> answered(place, recipient, given));
    }

    private void answered(Place place, MailAddress asked, LkaToMta given) {
        List<Asker> askers = open.remove(place);
        if (!(given instanceof LkaToMta.SmartHostIs is)) {
            tell(place, askers, new Answer(List.of(), Questions.NO_LOOKUP));
            return;
        }
        String domain = "";
        if (is.byDomain()) {
            mappings.add(place.table());
            domain = Addressing.domain(asked.domain());
        }
        Answer answer =
                switch (is.outcome()) {
                    case Outcome.Ok _ -> new Answer(is.relays(), NO_HOST);
                    case Outcome.Temporary no -> new Answer(List.of(), no.reply());
                    case Outcome.Permanent _ -> new Answer(List.of(), NO_HOST);
                };
        if (is.outcome().isOk()) {
            keep(kept, new Place(place.table(), domain), is.relays());
        }
        List<Asker> served = new ArrayList<>(askers.size());
        for (Asker asker : askers) {
            if (domain.isEmpty() || domain.equals(Addressing.domain(asker.recipient().domain()))) {
                served.add(asker);
            } else {
                // It was not known that the table maps domains: this one is another's question.
                ask(place.table(), asker.msgid(), asker.recipient(), asker.then());
            }
        }
        tell(place, served, answer);
    }

    private void tell(Place place, List<Asker> askers, Answer answer) {
        for (Asker asker : askers) {
            asker.then()
                    .accept(
                            new Answer(
                                    inTurn(place.table(), asker.msgid(), answer.urls()),
                                    answer.why()));
        }
    }

    private List<String> inTurn(String table, Msgid msgid, List<String> urls) {
        if (urls.size() < 2) {
            return urls;
        }
        Turn key = new Turn(table, msgid);
        Kept<Integer> mine = turns.get(key);
        if (mine == null) {
            mine = keep(turns, key, turn++);
        }
        List<String> rotated = new ArrayList<>(urls);
        Collections.rotate(rotated, -Math.floorMod(mine.what(), urls.size()));
        return rotated;
    }

    /** Insertion order is the order in which they age. */
    private <K, V> Kept<V> keep(Map<K, Kept<V>> map, K key, V value) {
        long now = millis.getAsLong();
        Iterator<Kept<V>> eldest = map.values().iterator();
        while (eldest.hasNext()) {
            if (eldest.next().until() > now && map.size() < MAX_KEPT) {
                break;
            }
            eldest.remove();
        }
        Kept<V> made = new Kept<>(value, now + KEPT_MILLIS);
        map.remove(key);
        map.put(key, made);
        return made;
    }
}
