package smtpd.conf;

import java.util.Optional;

/**
 * How a local action delivers. Paths and commands are the raw text of the configuration: format
 * specifiers are expanded at delivery, with the envelope at hand.
 */
public sealed interface Delivery {

    /** The system mailbox of the user. */
    record Mbox() implements Delivery {}

    /**
     * @param path absolute or {@code ~/...}; absent: {@code ~/Maildir}
     * @param junk marked mail goes to the folder {@code .Junk}
     */
    record Maildir(Optional<String> path, boolean junk) implements Delivery {}

    /**
     * @param command for {@code /bin/sh -c}
     */
    record Mda(String command) implements Delivery {}

    /**
     * @param destination {@code host:port} or an absolute socket path
     * @param rcptTo name the final address, not the user
     */
    record Lmtp(String destination, boolean rcptTo) implements Delivery {}

    /**
     * @param path mbox file to append to
     */
    record Filename(String path) implements Delivery {}

    /** Accept only what an alias or .forward sends to another address. */
    record ForwardOnly() implements Delivery {}

    /** Accept only what an alias or .forward turns into a delivery. */
    record ExpandOnly() implements Delivery {}
}
