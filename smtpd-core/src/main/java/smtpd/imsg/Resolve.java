package smtpd.imsg;

/** Hosts of a destination, best first. Answered by Resolved. */
public record Resolve(@Max(255) String domain, Kind kind) implements MtaToLka, MdaToLka {

    public enum Kind {
        /** By MX, with the rules of RFC 5321 5.1. */
        MX,
        /** The addresses of this host, or a literal. */
        HOST
    }
}
