package smtpd.table;

import java.util.Arrays;
import java.util.Optional;

/**
 * A network or a single address. Text forms: {@code 192.0.2.1}, {@code 192.0.2.0/24}, {@code
 * 2001:db8::/32}, {@code [2001:db8::1]}, {@code [2001:db8::]/32}, {@code ipv6:2001:db8::1}, {@code
 * fe80::1%eth0}. An IPv4-mapped IPv6 address is the IPv4 address; host bits of a network are
 * ignored. The scope counts only between link-local addresses that both have one.
 */
public final class Netaddr {

    private final byte[] address;
    private final int prefix;
    private final String scope;

    private Netaddr(byte[] address, int prefix, String scope) {
        this.address = address;
        this.prefix = prefix;
        this.scope = scope;
    }

    /** The network of this text; absent when it is none. */
    public static Optional<Netaddr> parse(String text) {
        int slash = text.lastIndexOf('/');
        String host = slash < 0 ? text : text.substring(0, slash);
        Optional<Netaddr> single = parseAddress(host);
        if (slash < 0 || single.isEmpty()) {
            return single;
        }
        byte[] address = single.get().address;
        int prefix = decimal(text, slash + 1, text.length(), 128);
        boolean wasMapped = address.length == 4 && host.indexOf(':') >= 0;
        if (wasMapped) {
            prefix -= 96;
        }
        return prefix < 0 || prefix > address.length * 8
                ? Optional.empty()
                : Optional.of(new Netaddr(address, prefix, single.get().scope));
    }

    /** The address of this text, without prefix length; absent when it is none. */
    public static Optional<Netaddr> parseAddress(String text) {
        String bare = text;
        if (bare.startsWith("[") && bare.endsWith("]")) {
            bare = bare.substring(1, bare.length() - 1);
        }
        boolean named = bare.regionMatches(true, 0, "ipv6:", 0, 5);
        if (named) {
            bare = bare.substring(5);
        }
        int percent = bare.indexOf('%');
        String scope = percent < 0 ? "" : bare.substring(percent + 1);
        byte[] bytes = bytes(percent < 0 ? bare : bare.substring(0, percent));
        if (bytes == null || (percent >= 0 && (scope.isEmpty() || bytes.length == 4))) {
            return Optional.empty();
        }
        return Optional.of(ofBytes(bytes, scope));
    }

    /** A single address of 4 or 16 bytes. */
    public static Netaddr ofBytes(byte[] bytes) {
        return ofBytes(bytes, "");
    }

    private static Netaddr ofBytes(byte[] bytes, String scope) {
        byte[] plain = isMapped(bytes) ? Arrays.copyOfRange(bytes, 12, 16) : bytes.clone();
        return new Netaddr(plain, plain.length * 8, scope);
    }

    /** True when the text is one address, without prefix length. */
    public static boolean isAddress(String text) {
        return parseAddress(text).isPresent();
    }

    /** True when {@code single} lies in this network; never across families. */
    public boolean contains(Netaddr single) {
        if (address.length != single.address.length || single.prefix < prefix) {
            return false;
        }
        if (!scope.isEmpty() && !single.scope.isEmpty() && !scope.equals(single.scope)) {
            return false;
        }
        int whole = prefix / 8;
        for (int i = 0; i < whole; i++) {
            if (address[i] != single.address[i]) {
                return false;
            }
        }
        int bits = prefix % 8;
        return bits == 0
                || ((address[whole] ^ single.address[whole]) & (0xff00 >> bits) & 0xff) == 0;
    }

    /** The same network, host bits ignored. */
    public boolean isSameAs(Netaddr other) {
        return prefix == other.prefix && contains(other);
    }

    boolean hasScope() {
        return !scope.isEmpty();
    }

    int prefix() {
        return prefix;
    }

    /** The first {@code length} bits, the others 0, without scope. */
    Netaddr masked(int length) {
        byte[] bits = new byte[address.length];
        for (int i = 0; i * 8 < length; i++) {
            int keep = Math.min(8, length - i * 8);
            bits[i] = (byte) (address[i] & (0xff00 >> keep));
        }
        return new Netaddr(bits, length, "");
    }

    public boolean isIpv4() {
        return address.length == 4;
    }

    /** 4 or 16 bytes in network order. */
    public byte[] toBytes() {
        return address.clone();
    }

    private static boolean isMapped(byte[] bytes) {
        if (bytes.length != 16 || bytes[10] != -1 || bytes[11] != -1) {
            return false;
        }
        for (int i = 0; i < 10; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static byte[] bytes(String text) {
        return text.indexOf(':') >= 0 ? ipv6(text) : ipv4(text, 0);
    }

    /** Four decimal numbers; leading zeros are refused, since inet_aton(3) reads them as octal. */
    private static byte[] ipv4(String text, int from) {
        byte[] bytes = new byte[4];
        int start = from;
        for (int i = 0; i < 4; i++) {
            int end = i == 3 ? text.length() : text.indexOf('.', start);
            int value = end < 0 ? -1 : decimal(text, start, end, 255);
            if (value < 0) {
                return null;
            }
            bytes[i] = (byte) value;
            start = end + 1;
        }
        return bytes;
    }

    private static int decimal(String text, int start, int end, int max) {
        if (end <= start || end - start > 3 || (end - start > 1 && text.charAt(start) == '0')) {
            return -1;
        }
        int value = 0;
        for (int i = start; i < end; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return value <= max ? value : -1;
    }

    /** RFC 4291 2.2, all three forms. */
    private static byte[] ipv6(String text) {
        byte[] head = new byte[16];
        int filled = 0;
        int gap = -1;
        int i = 0;
        if (text.startsWith("::")) {
            gap = 0;
            i = 2;
        } else if (text.startsWith(":")) {
            return null;
        }
        while (i < text.length()) {
            int end = i;
            int value = 0;
            while (end < text.length() && Character.digit(text.charAt(end), 16) >= 0) {
                value = value << 4 | Character.digit(text.charAt(end), 16);
                if (++end - i > 4) {
                    break;
                }
            }
            if (end < text.length() && text.charAt(end) == '.') {
                byte[] tail = ipv4(text, i);
                if (tail == null || filled > 12) {
                    return null;
                }
                System.arraycopy(tail, 0, head, filled, 4);
                filled += 4;
                i = text.length();
                break;
            }
            if (end == i || end - i > 4 || filled > 14) {
                return null;
            }
            head[filled++] = (byte) (value >> 8);
            head[filled++] = (byte) value;
            if (end == text.length()) {
                i = end;
                break;
            }
            if (text.charAt(end) != ':' || end + 1 == text.length()) {
                return null;
            }
            i = end + 1;
            if (text.charAt(i) == ':') {
                if (gap >= 0) {
                    return null;
                }
                gap = filled;
                i++;
            }
        }
        if (gap < 0) {
            return filled == 16 ? head : null;
        }
        if (filled > 14) {
            return null;
        }
        byte[] address = new byte[16];
        System.arraycopy(head, 0, address, 0, gap);
        System.arraycopy(head, gap, address, 16 - (filled - gap), filled - gap);
        return address;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Netaddr net
                && prefix == net.prefix
                && scope.equals(net.scope)
                && Arrays.equals(address, net.address);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(address) + prefix;
    }

    /** {@code 192.0.2.0/24}; IPv6 by RFC 5952; the prefix only when shorter than full. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(40);
        if (address.length == 4) {
            for (int i = 0; i < 4; i++) {
                text.append(i == 0 ? "" : ".").append(address[i] & 0xff);
            }
        } else {
            appendIpv6(text);
        }
        if (!scope.isEmpty()) {
            text.append('%').append(scope);
        }
        if (prefix < address.length * 8) {
            text.append('/').append(prefix);
        }
        return text.toString();
    }

    /**
     * RFC 5952 4.2: the first of the longest runs of at least two zero groups becomes {@code ::}.
     */
    private void appendIpv6(StringBuilder text) {
        int bestStart = -1;
        int bestLength = 1;
        for (int start = 0; start < 8; start++) {
            int length = 0;
            while (start + length < 8 && group(start + length) == 0) {
                length++;
            }
            if (length > bestLength) {
                bestStart = start;
                bestLength = length;
            }
        }
        for (int i = 0; i < 8; i++) {
            if (i == bestStart) {
                text.append("::");
                i += bestLength - 1;
            } else {
                boolean first = text.isEmpty() || text.charAt(text.length() - 1) == ':';
                text.append(first ? "" : ":").append(Integer.toHexString(group(i)));
            }
        }
    }

    private int group(int index) {
        return ((address[2 * index] & 0xff) << 8) | (address[2 * index + 1] & 0xff);
    }
}
