package smtpd.lka.expand;

import smtpd.mail.MailAddress;

/** One target in aliases, a virtual table or a {@code .forward}. */
sealed interface Value {

    record Address(MailAddress address) implements Value {}

    record Username(String name) implements Value {}

    /**
     * @param path absolute, of a file in mbox form
     */
    record Filename(String path) implements Value {}

    /**
     * @param text for {@code /bin/sh -c}
     */
    record Command(String text) implements Value {}

    /**
     * @param path absolute, of a file with more values
     */
    record Include(String path) implements Value {}

    /**
     * Refuse the recipient.
     *
     * @param reply reply line, its code in front
     */
    record Refuse(String reply) implements Value {}
}
