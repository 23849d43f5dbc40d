package smtpd.envelope;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The names known in an envelope text. */
enum Field {
    VERSION,
    FORMAT,
    ACTION,
    DISPATCHER,
    TAG,
    TYPE,
    SMTPNAME,
    HELO,
    HOSTNAME,
    USERNAME,
    ERRORLINE,
    SOCKADDR,
    SENDER,
    RCPT,
    DEST,
    CTIME,
    LAST_TRY,
    LAST_BOUNCE,
    EXPIRE,
    TTL,
    RETRY,
    FLAGS,
    DSN_NOTIFY,
    DSN_RET,
    DSN_ENVID,
    DSN_ORCPT,
    ESC_CLASS,
    ESC_CODE,
    MDA_BUFFER,
    MDA_METHOD,
    MDA_USER,
    MDA_USERTABLE,
    MDA_DELIVERY_USER,
    MDA_EXEC,
    MDA_SUBADDRESS,
    MDA_RCPT_TO,
    MTA_RELAY,
    MTA_RELAY_TABLE,
    MTA_RELAY_AUTH,
    MTA_RELAY_SOURCE,
    MTA_RELAY_HELOTABLE,
    MTA_RELAY_CERT,
    MTA_RELAY_CA,
    MTA_RELAY_HELONAME,
    MTA_RELAY_FLAGS,
    BOUNCE_TYPE,
    BOUNCE_DELAY,
    BOUNCE_EXPIRE,
    BOUNCE_TTL,
    NOTICE,
    EXPAND,
    REMOTE_MTA,
    NEED,
    HOLD,
    CONTENT,
    END;

    private static final Map<String, Field> BY_NAME = new HashMap<>();

    static {
        for (Field f : values()) {
            BY_NAME.put(f.text, f);
        }
    }

    private final String text = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** The name as written. */
    String text() {
        return text;
    }

    long bit() {
        return 1L << ordinal();
    }

    /** Null when unknown. */
    static Field of(String lowerCaseName) {
        return BY_NAME.get(lowerCaseName);
    }

    /** Fields that only we write, in every version. */
    static final long OURS =
            FORMAT.bit()
                    | ACTION.bit()
                    | MDA_RCPT_TO.bit()
                    | MTA_RELAY_TABLE.bit()
                    | NOTICE.bit()
                    | EXPAND.bit()
                    | REMOTE_MTA.bit()
                    | NEED.bit()
                    | HOLD.bit()
                    | CONTENT.bit()
                    | END.bit();
}
