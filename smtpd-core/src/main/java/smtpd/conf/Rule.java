package smtpd.conf;

import java.util.List;

/**
 * One rule; all its conditions must hold.
 *
 * @param id place in the configuration, from 0
 * @param at where it was written
 * @param dialect decides what {@code from} compares
 * @param conditions in the order of evaluation, always with one {@code From} and one {@code For}
 */
public record Rule(
        int id, Position at, Dialect dialect, List<Condition> conditions, Decision decision) {
    public Rule {
        conditions = List.copyOf(conditions);
    }
}
