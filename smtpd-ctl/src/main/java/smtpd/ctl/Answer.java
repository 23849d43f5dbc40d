package smtpd.ctl;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import smtpd.ctl.Request.Field;
import smtpd.envelope.Evpid;
import smtpd.imsg.QueueToControl.EnvelopeRow;

/** What control answers. */
sealed interface Answer {

    /** One row of fields. */
    record Row(String kind, List<String> fields) implements Answer {}

    /** The end of an answer. */
    record Done(boolean ok, long count, long last, String text) implements Answer {}

    record Envelopes(List<EnvelopeRow> rows) implements Answer {}

    /** A piece of a message or an envelope. */
    record Piece(byte[] bytes) implements Answer {}

    int ROW = 1;
    int DONE = 2;
    int ENVELOPES = 4;
    int PIECE = 5;

    /**
     * Reads the fields behind a header.
     *
     * @throws Failure when they are not what this release understands
     */
    static Answer read(int type, ByteBuffer in) {
        try {
            Answer answer =
                    switch (type) {
                        case ROW -> new Row(text(in), texts(in));
                        case DONE ->
                                new Done(
                                        octet(in, Field.BOOL) != 0, int64(in), int64(in), text(in));
                        case ENVELOPES -> new Envelopes(envelopes(in));
                        case PIECE -> new Piece(bytes(in));
                        default -> throw garbled();
                    };
            if (in.hasRemaining()) {
                throw garbled();
            }
            return answer;
        } catch (BufferUnderflowException e) {
            throw garbled();
        }
    }

    private static Failure garbled() {
        return new Failure(Exit.PROTOCOL, "smtpd answers in a way this smtpctl does not know");
    }

    private static void tag(ByteBuffer in, int wanted) {
        if (in.get() != wanted) {
            throw garbled();
        }
    }

    private static int octet(ByteBuffer in, int tag) {
        tag(in, tag);
        return in.get();
    }

    private static int int32(ByteBuffer in) {
        tag(in, Field.INT);
        return in.getInt();
    }

    private static long int64(ByteBuffer in) {
        tag(in, Field.LONG);
        return in.getLong();
    }

    private static String text(ByteBuffer in) {
        tag(in, Field.STRING);
        return new String(raw(in), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(ByteBuffer in) {
        tag(in, Field.BYTES);
        return raw(in);
    }

    private static byte[] raw(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw garbled();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static int count(ByteBuffer in, int elementTag) {
        tag(in, Field.LIST);
        int count = in.getInt();
        tag(in, elementTag);
        if (count < 0 || count > in.remaining()) {
            throw garbled();
        }
        return count;
    }

    private static List<String> texts(ByteBuffer in) {
        int count = count(in, Field.STRING);
        List<String> texts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            texts.add(new String(raw(in), StandardCharsets.UTF_8));
        }
        return texts;
    }

    private static List<EnvelopeRow> envelopes(ByteBuffer in) {
        int count = count(in, Field.RECORD);
        List<EnvelopeRow> rows = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            tag(in, Field.EVPID);
            Evpid evpid = new Evpid(in.getLong());
            rows.add(new EnvelopeRow(evpid, int32(in), int64(in), int32(in), int64(in), bytes(in)));
        }
        return rows;
    }
}
