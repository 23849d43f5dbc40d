package smtpd.imsg;

import java.util.Locale;

/**
 * The nine processes. The ordinal is the number of a role on the wire, so the order never changes.
 */
public enum Role {
    PARENT,
    CONTROL,
    SMTP,
    MFA,
    LKA,
    QUEUE,
    SCHEDULER,
    MTA,
    MDA;

    /** The name as logs, {@code ps} and {@code smtpctl} show it. */
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Role ofTitle(String title) {
        return valueOf(title.toUpperCase(Locale.ROOT));
    }
}
