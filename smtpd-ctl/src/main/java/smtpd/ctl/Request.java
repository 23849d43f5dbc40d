package smtpd.ctl;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.imsg.ControlToMta;
import smtpd.imsg.ControlToQueue;
import smtpd.imsg.CtlToControl;
import smtpd.imsg.FrameHeader;
import smtpd.imsg.Role;
import smtpd.imsg.Selection;

/**
 * One frame to control. Written by hand, field by field: the codec of the daemon generates classes,
 * which a command that lives for a tenth of a second cannot afford. A test compares each with that
 * codec.
 */
final class Request {

    static final int SHOW_STATS = 1;
    static final int SHOW_STATUS = 2;
    static final int SET_TRACE = 3;
    static final int SET_PROFILE = 4;
    static final int SET_VERBOSE = 5;
    static final int PAUSE_SERVICE = 6;
    static final int RESUME_SERVICE = 7;
    static final int SHOW_PROFILE = 8;
    static final int SHUTDOWN = 9;
    static final int RELOAD = 10;
    static final int SHOW_PROCESSES = 11;
    static final int SUSPEND = 12;
    static final int UNSUSPEND = 13;
    static final int REMOVE = 14;
    static final int SCHEDULE = 15;
    static final int LIST_ENVELOPES = 17;
    static final int SHOW_HOLDS = 18;
    static final int SHOW_MESSAGE = 19;
    static final int DISCOVER = 20;
    static final int FLUSH = 21;
    static final int RESTORE = 22;
    static final int SHOW_PROBLEMS = 23;
    static final int SHOW_MTA = 24;
    static final int ENABLE_ROUTE = 25;
    static final int UPDATE_TABLE = 26;

    private static final int ALL = 0;
    private static final int ONE_MESSAGE = 1;
    private static final int ONE_ENVELOPE = 2;

    private final ByteBuffer frame = ByteBuffer.allocate(1024);

    private Request(int type) {
        frame.putInt(0).putShort((short) type).putShort((short) 0);
        frame.putInt(CtlToControl.PROTOCOL).putLong(1);
    }

    /** A request without fields. */
    static Request of(int type) {
        return new Request(type);
    }

    static Request switching(int type, long bits, boolean on) {
        return new Request(type).int64(bits).octet(Field.BOOL, on ? 1 : 0);
    }

    static Request verbose(boolean on) {
        return new Request(SET_VERBOSE).octet(Field.BOOL, on ? 1 : 0);
    }

    static Request service(int type, Role service) {
        return new Request(type).octet(Field.BOOL, service.ordinal());
    }

    static Request profile(String what) {
        return new Request(SHOW_PROFILE).text(what);
    }

    /** Suspend, resume, remove, schedule; control puts the uid of the connection into the frame. */
    static Request selecting(int type, Selection what) {
        Request request = new Request(type);
        switch (what) {
            case Selection.All _ -> request.octet(Field.RECORD, ALL);
            case Selection.OneMessage m ->
                    request.octet(Field.RECORD, ONE_MESSAGE).msgid(m.msgid());
            case Selection.OneEnvelope m ->
                    request.octet(Field.RECORD, ONE_ENVELOPE).evpid(m.evpid());
        }
        return request.int32(0);
    }

    static Request envelopes(Evpid from, int limit) {
        return new Request(LIST_ENVELOPES).evpid(from).int32(limit);
    }

    static Request content(Evpid id, ControlToQueue.What what) {
        return new Request(SHOW_MESSAGE).evpid(id).octet(Field.BOOL, what.ordinal());
    }

    static Request discover(Evpid id) {
        return new Request(DISCOVER).evpid(id);
    }

    static Request restore(Msgid id) {
        return new Request(RESTORE).msgid(id);
    }

    static Request mta(ControlToMta.MtaView view, long from) {
        return new Request(SHOW_MTA).octet(Field.BOOL, view.ordinal()).int64(from);
    }

    static Request route(long id) {
        return new Request(ENABLE_ROUTE).int64(id);
    }

    static Request table(String name) {
        return new Request(UPDATE_TABLE).text(name);
    }

    /** The bytes, ready to be sent. */
    ByteBuffer bytes() {
        ByteBuffer done = frame.duplicate().flip();
        return done.putInt(0, done.limit());
    }

    private Request octet(int tag, int value) {
        frame.put((byte) tag).put((byte) value);
        return this;
    }

    private Request int32(int value) {
        frame.put((byte) Field.INT).putInt(value);
        return this;
    }

    private Request int64(long value) {
        frame.put((byte) Field.LONG).putLong(value);
        return this;
    }

    private Request evpid(Evpid id) {
        frame.put((byte) Field.EVPID).putLong(id.value());
        return this;
    }

    private Request msgid(Msgid id) {
        frame.put((byte) Field.MSGID).putInt(id.value());
        return this;
    }

    private Request text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 255) {
            throw new Failure(Exit.COMMAND_LINE, "too long: " + Printable.of(value));
        }
        frame.put((byte) Field.STRING).putInt(bytes.length).put(bytes);
        return this;
    }

    /** Tags of fields and the size of a header, as everywhere in the daemon. */
    static final class Field {
        static final int BOOL = 1;
        static final int INT = 2;
        static final int LONG = 3;
        static final int STRING = 5;
        static final int BYTES = 6;
        static final int EVPID = 8;
        static final int MSGID = 9;
        static final int LIST = 13;
        static final int RECORD = 15;
        static final int HEADER = FrameHeader.SIZE;

        private Field() {}
    }
}
