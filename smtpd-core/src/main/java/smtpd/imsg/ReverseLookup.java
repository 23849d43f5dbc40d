package smtpd.imsg;

/** The name of a peer: PTR, confirmed by its own addresses. Answered by ReverseName. */
public record ReverseLookup(SocketAddr address) implements SmtpToLka, MtaToLka {}
