package smtpd.lka.dns;

/** Counts what the resolver does. */
public interface Meter {

    Meter NONE =
            new Meter() {
                @Override
                public void sent() {}

                @Override
                public void fromCache() {}

                @Override
                public void failed() {}
            };

    /** A question went to a name server. */
    void sent();

    /** A question needed none. */
    void fromCache();

    /** A question has no usable answer. */
    void failed();
}
