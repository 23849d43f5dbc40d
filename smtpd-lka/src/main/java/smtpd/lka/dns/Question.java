package smtpd.lka.dns;

import org.xbill.DNS.Name;

/**
 * What is asked of the DNS.
 *
 * @param name absolute; compares without regard to case
 * @param type one of {@link org.xbill.DNS.Type}
 */
public record Question(Name name, int type) {}
