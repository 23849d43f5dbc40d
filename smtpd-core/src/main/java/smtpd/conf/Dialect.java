package smtpd.conf;

/** The generation of the language a statement is written in; decides only what "from" compares. */
public enum Dialect {
    /** {@code accept} and {@code reject}: an authenticated client counts as local. */
    CLASSIC,
    /** {@code match} and {@code action}: an authenticated client keeps its address. */
    MODERN
}
