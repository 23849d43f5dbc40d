package smtpd.table;

/** What the content of a table is; an empty file counts as either. */
public enum TableKind {
    LIST,
    MAPPING,
    EMPTY;

    /** True when a table of this kind can serve {@code shape}. */
    public boolean serves(Service.Shape shape) {
        return switch (shape) {
            case KEYS -> true;
            case LIST -> this != MAPPING;
            case MAPPING -> this != LIST;
        };
    }
}
