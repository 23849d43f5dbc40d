package smtpd.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import smtpd.envelope.EnvelopeType;

/**
 * What must be true of a schedule after every step: each row in exactly the place its state says.
 */
final class Invariants {

    private Invariants() {}

    static void check(Schedule schedule, String where) {
        EnvelopeTable table = schedule.table();
        Map<Integer, String> places = new HashMap<>();
        for (Kind kind : Kind.values()) {
            collect(schedule.ready(kind), "ready " + kind, places, where);
        }
        for (int i = 0; i < 4; i++) {
            collect(schedule.flight(i), "flight " + i, places, where);
        }
        int held = 0;
        for (Holds.Hold hold : schedule.holds().all()) {
            assertThat(hold.rows.isEmpty()).as(where).isFalse();
            assertThat(schedule.holds().numbered(hold.number)).as(where).isSameAs(hold);
            collect(hold.rows, "hold " + hold.number, places, where);
            held += hold.rows.size();
        }
        assertThat(schedule.holds().rows()).as(where).isEqualTo(held);
        heap(schedule, where);
        int rows = 0;
        int suspended = 0;
        int inHeap = 0;
        Map<Integer, Integer> routeRows = new HashMap<>();
        Map<Integer, Integer> routeFlight = new HashMap<>();
        for (int row = 0; row < table.reached(); row++) {
            int state = table.state(row);
            if (state == EnvelopeTable.FREE) {
                assertThat(places).as(where).doesNotContainKey(row);
                continue;
            }
            rows++;
            String place = places.get(row);
            int position = table.heapPosition(row);
            boolean isSuspended = table.has(row, EnvelopeTable.SUSPENDED);
            boolean isEnding = table.has(row, EnvelopeTable.ENDING);
            suspended += isSuspended ? 1 : 0;
            routeRows.merge(table.route(row), 1, Integer::sum);
            String as = where + " row " + row + " state " + state;
            switch (state) {
                case EnvelopeTable.PENDING -> {
                    assertThat(place).as(as).isNull();
                    assertThat(position >= 0).as(as).isEqualTo(!isSuspended);
                    assertThat(table.has(row, EnvelopeTable.REMOVED | EnvelopeTable.EXPIRED))
                            .as(as)
                            .isFalse();
                }
                case EnvelopeTable.SCHEDULED -> {
                    assertThat(place).as(as).isEqualTo("ready " + kind(table, row));
                    assertThat(position).as(as).isEqualTo(-1);
                }
                case EnvelopeTable.INFLIGHT -> {
                    int list = isEnding ? Schedule.ENDINGS : table.type(row);
                    assertThat(place).as(as).isEqualTo("flight " + list);
                    assertThat(position).as(as).isEqualTo(-1);
                    if (list == EnvelopeType.MTA.ordinal()) {
                        routeFlight.merge(table.route(row), 1, Integer::sum);
                    }
                }
                case EnvelopeTable.HELD -> {
                    assertThat(place).as(as).isEqualTo("hold " + table.hold(row));
                    assertThat(position).as(as).isGreaterThanOrEqualTo(0);
                    assertThat(isSuspended).as(as).isFalse();
                }
                default -> throw new AssertionError(as);
            }
            assertThat(isEnding && state != EnvelopeTable.INFLIGHT).as(as).isFalse();
            if (position >= 0) {
                inHeap++;
                assertThat(schedule.heap().at(position)).as(as).isEqualTo(row);
            }
        }
        assertThat(rows).as(where).isEqualTo(table.size());
        assertThat(suspended).as(where).isEqualTo(schedule.suspended());
        assertThat(inHeap).as(where).isEqualTo(schedule.heap().size());
        int flying = 0;
        for (int i = 0; i < 4; i++) {
            flying += schedule.flight(i).size();
        }
        assertThat(schedule.inFlight()).as(where).isEqualTo(flying);
        routeRows.forEach(
                (route, n) ->
                        assertThat(schedule.routes().inFlight(route))
                                .as(where + " route " + route)
                                .isEqualTo(routeFlight.getOrDefault(route, 0)));
    }

    private static Kind kind(EnvelopeTable table, int row) {
        if (table.has(row, EnvelopeTable.REMOVED)) {
            return Kind.REMOVED;
        }
        if (table.has(row, EnvelopeTable.EXPIRED)) {
            return Kind.EXPIRED;
        }
        return Kind.valueOf(EnvelopeType.values()[table.type(row)].name());
    }

    private static void collect(
            RowList list, String name, Map<Integer, String> places, String where) {
        int n = 0;
        for (int row = list.first(); row >= 0; row = list.after(row)) {
            assertThat(places.put(row, name)).as(where + " row twice " + row).isNull();
            n++;
        }
        assertThat(list.size()).as(where + " " + name).isEqualTo(n);
    }

    private static void heap(Schedule schedule, String where) {
        DueHeap heap = schedule.heap();
        EnvelopeTable table = schedule.table();
        for (int i = 1; i < heap.size(); i++) {
            int above = table.key(heap.at((i - 1) >>> 2));
            assertThat(Integer.compareUnsigned(above, table.key(heap.at(i))))
                    .as(where + " heap " + i)
                    .isLessThanOrEqualTo(0);
        }
    }
}
