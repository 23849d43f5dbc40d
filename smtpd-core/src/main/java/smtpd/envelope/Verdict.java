package smtpd.envelope;

/** What the reading of an envelope text found. */
public sealed interface Verdict {

    /** The envelope can be used. */
    sealed interface Usable extends Verdict {
        Envelope envelope();

        /** How many lines repeated a name; the last of each won. */
        int repeated();
    }

    /** Exactly as we wrote it. */
    record Sound(Envelope envelope, int repeated) implements Usable {}

    /** Changed by hand: used, logged; the sum is put right at the next update. */
    record Edited(Envelope envelope, int repeated) implements Usable {}

    /** Written by another program or by hand: used; our fields come with the next update. */
    record Foreign(Envelope envelope, int repeated) implements Usable {}

    /**
     * Not all of it reached the disk.
     *
     * @param ctime as far as it was read, else 0
     * @param lastTry as far as it was read, else 0
     */
    record Torn(long ctime, long lastTry) implements Verdict {}

    /**
     * Cannot be what anybody wrote.
     *
     * @param field name of the field at fault, or {@code line N}
     * @param why in a few words
     */
    record Corrupt(String field, String why) implements Verdict {}

    /** Needs a newer release: stays where it is, is not delivered, not an error of the file. */
    record Future(String field) implements Verdict {}
}
