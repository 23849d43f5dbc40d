package smtpd.table;

import java.util.Locale;

/** What a table is asked for: decides how a key matches an entry and what the value must be. */
public enum Service {
    ALIAS(Shape.MAPPING),
    DOMAIN(Shape.LIST),
    CREDENTIALS(Shape.MAPPING),
    NETADDR(Shape.LIST),
    SOURCE(Shape.KEYS),
    USERINFO(Shape.MAPPING),
    MAILADDR(Shape.KEYS),
    ADDRNAME(Shape.MAPPING),
    MAILADDRMAP(Shape.MAPPING),
    RELAYHOST(Shape.LIST),
    RELAYHOST_BY_DOMAIN(Shape.MAPPING),
    STRING(Shape.KEYS),
    REGEX(Shape.LIST);

    /** Which kind of table a service needs. */
    public enum Shape {
        LIST,
        MAPPING,
        /** A list, or a mapping of which only the keys count. */
        KEYS
    }

    private final Shape shape;

    Service(Shape shape) {
        this.shape = shape;
    }

    public Shape shape() {
        return shape;
    }

    /** The name that external tables and messages use. */
    public String title() {
        return this == RELAYHOST_BY_DOMAIN ? "relayhost" : name().toLowerCase(Locale.ROOT);
    }
}
