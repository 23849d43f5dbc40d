package smtpd.table;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Networks, ready for look-up: one hash set for each prefix length in use, so that the cost does
 * not grow with the list.
 */
final class NetworkSet {

    private record Key(int length, Netaddr masked) {}

    private final Map<Integer, Set<Key>> ipv4 = new HashMap<>();
    private final Map<Integer, Set<Key>> ipv6 = new HashMap<>();
    private final List<Netaddr> scoped = new ArrayList<>();

    NetworkSet(Iterable<String> entries) {
        for (String entry : entries) {
            Netaddr.parse(entry).ifPresent(this::add);
        }
    }

    private void add(Netaddr network) {
        if (network.hasScope()) {
            scoped.add(network);
            return;
        }
        Map<Integer, Set<Key>> family = network.isIpv4() ? ipv4 : ipv6;
        family.computeIfAbsent(network.prefix(), length -> new HashSet<>())
                .add(new Key(network.prefix(), network.masked(network.prefix())));
    }

    boolean contains(Netaddr single) {
        Map<Integer, Set<Key>> family = single.isIpv4() ? ipv4 : ipv6;
        for (Map.Entry<Integer, Set<Key>> group : family.entrySet()) {
            int length = group.getKey();
            if (group.getValue().contains(new Key(length, single.masked(length)))) {
                return true;
            }
        }
        for (Netaddr network : scoped) {
            if (network.contains(single)) {
                return true;
            }
        }
        return false;
    }
}
