package smtpd.imsg;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.mail.MailAddress;

/** Derives the codec of a record component from its type and its {@link Max}. */
final class FieldCodecs {

    static final int DEFAULT_STRING = 8191;
    static final int DEFAULT_BYTES = 16 * 1024;
    static final int DEFAULT_LIST = 256;
    private static final int ADDRESS_PART = 255;

    private FieldCodecs() {}

    static FieldCodec of(RecordComponent component) {
        Max max = component.getAnnotation(Max.class);
        return of(component.getGenericType(), max == null ? -1 : max.value());
    }

    private static FieldCodec of(Type type, int max) {
        if (type instanceof ParameterizedType p && p.getRawType() == List.class) {
            return new ListCodec(of(p.getActualTypeArguments()[0], -1), max);
        }
        Class<?> c = (Class<?>) type;
        if (c == boolean.class || c == Boolean.class) {
            return new BoolCodec();
        } else if (c == int.class || c == Integer.class) {
            return new IntCodec();
        } else if (c == long.class || c == Long.class) {
            return new LongCodec();
        } else if (c == String.class) {
            return new StringCodec(max < 0 ? DEFAULT_STRING : max);
        } else if (c == byte[].class) {
            return new BytesCodec(max < 0 ? DEFAULT_BYTES : max);
        } else if (c == Content.class) {
            return new ContentCodec();
        } else if (c == Secret.class) {
            return new SecretCodec();
        } else if (c == Evpid.class) {
            return new EvpidCodec();
        } else if (c == Msgid.class) {
            return new MsgidCodec();
        } else if (c == SocketAddr.class) {
            return new SocketAddrCodec();
        } else if (c == MailAddress.class) {
            return new MailAddressCodec();
        } else if (c == StoredEnvelope.class) {
            return new EnvelopeCodec();
        } else if (c.isEnum()) {
            return new EnumCodec(c);
        } else if (c.isSealed()) {
            return new SealedCodec(c);
        } else if (c.isRecord()) {
            return new NestedCodec(c);
        }
        throw new IllegalArgumentException("no codec for " + type);
    }

    private static final class BoolCodec extends FieldCodec {
        BoolCodec() {
            super(Tag.BOOL, "bool");
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawByte((Boolean) value ? 1 : 0);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return in.rawBool();
        }
    }

    private static final class IntCodec extends FieldCodec {
        IntCodec() {
            super(Tag.INT, "int");
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawInt((Integer) value);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return in.rawInt();
        }
    }

    private static final class LongCodec extends FieldCodec {
        LongCodec() {
            super(Tag.LONG, "long");
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawLong((Long) value);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return in.rawLong();
        }
    }

    private static final class StringCodec extends FieldCodec {
        private final int max;

        StringCodec(int max) {
            super(Tag.STRING, "string<=" + max);
            this.max = max;
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawString((String) value, max);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return in.rawString(max);
        }
    }

    private static final class BytesCodec extends FieldCodec {
        private final int max;

        BytesCodec(int max) {
            super(Tag.BYTES, "bytes<=" + max);
            this.max = max;
        }

        @Override
        void write(FieldWriter out, Object value) {
            byte[] bytes = (byte[]) value;
            out.rawBytes(bytes, 0, bytes.length, max);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return in.rawBytes(max);
        }
    }

    private static final class ContentCodec extends FieldCodec {
        ContentCodec() {
            super(Tag.BYTES, "content<=" + Content.MAX_LENGTH);
        }

        @Override
        void write(FieldWriter out, Object value) {
            Content content = (Content) value;
            out.rawBytes(content.array(), content.offset(), content.length(), Content.MAX_LENGTH);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return Content.of(in.rawBytes(Content.MAX_LENGTH));
        }
    }

    private static final class SecretCodec extends FieldCodec {
        SecretCodec() {
            super(Tag.BYTES, "secret");
        }

        @Override
        void write(FieldWriter out, Object value) {
            byte[] bytes = ((Secret) value).bytes();
            out.rawBytes(bytes, 0, bytes.length, DEFAULT_STRING);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return new Secret(in.rawBytes(DEFAULT_STRING));
        }
    }

    private static final class EvpidCodec extends FieldCodec {
        EvpidCodec() {
            super(Tag.EVPID, "evpid");
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawLong(((Evpid) value).value());
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return new Evpid(in.rawLong());
        }
    }

    private static final class MsgidCodec extends FieldCodec {
        MsgidCodec() {
            super(Tag.MSGID, "msgid");
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawInt(((Msgid) value).value());
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return new Msgid(in.rawInt());
        }
    }

    /** Family u8 (0 local, 4, 6), port u16, address, scope u32. */
    private static final class SocketAddrCodec extends FieldCodec {
        SocketAddrCodec() {
            super(Tag.SOCKADDR, "sockaddr");
        }

        @Override
        void write(FieldWriter out, Object value) {
            SocketAddr address = (SocketAddr) value;
            out.rawByte(address.isLocal() ? 0 : address.isIpv4() ? 4 : 6);
            out.rawShort(address.port());
            for (byte b : address.ip()) {
                out.rawByte(b);
            }
            out.rawInt(address.scope());
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            int family = in.rawByte();
            int length =
                    switch (family) {
                        case 0 -> 0;
                        case 4 -> 4;
                        case 6 -> 16;
                        default -> throw new BadFrame("address family " + family);
                    };
            int port = in.rawShort();
            byte[] ip = new byte[length];
            for (int i = 0; i < length; i++) {
                ip[i] = (byte) in.rawByte();
            }
            return new SocketAddr(ip, port, in.rawInt());
        }
    }

    private static final class MailAddressCodec extends FieldCodec {
        MailAddressCodec() {
            super(Tag.MAILADDR, "mailaddr");
        }

        @Override
        void write(FieldWriter out, Object value) {
            MailAddress address = (MailAddress) value;
            out.rawString(address.local(), ADDRESS_PART);
            out.rawString(address.domain(), ADDRESS_PART);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return new MailAddress(in.rawString(ADDRESS_PART), in.rawString(ADDRESS_PART));
        }
    }

    private static final class EnvelopeCodec extends FieldCodec {
        EnvelopeCodec() {
            super(Tag.ENVELOPE, "envelope");
        }

        @Override
        void write(FieldWriter out, Object value) {
            StoredEnvelope envelope = (StoredEnvelope) value;
            out.rawLong(envelope.evpid().value());
            out.rawBytes(envelope.text(), 0, envelope.text().length, DEFAULT_BYTES);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return new StoredEnvelope(new Evpid(in.rawLong()), in.rawBytes(DEFAULT_BYTES));
        }
    }

    private static final class EnumCodec extends FieldCodec {
        private final Object[] constants;

        EnumCodec(Class<?> type) {
            super(Tag.BOOL, "enum" + List.of(type.getEnumConstants()));
            constants = type.getEnumConstants();
        }

        @Override
        void write(FieldWriter out, Object value) {
            out.rawByte(((Enum<?>) value).ordinal());
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            int ordinal = in.rawByte();
            if (ordinal >= constants.length) {
                throw new BadFrame("enum value " + ordinal);
            }
            return constants[ordinal];
        }
    }

    private static final class ListCodec extends FieldCodec {
        private final FieldCodec element;
        private final int max;

        ListCodec(FieldCodec element, int max) {
            super(Tag.LIST, "list<=" + (max < 0 ? DEFAULT_LIST : max) + " of " + element.shape());
            this.element = element;
            this.max = max < 0 ? DEFAULT_LIST : max;
        }

        @Override
        void write(FieldWriter out, Object value) {
            List<?> list = (List<?>) value;
            if (list.size() > max) {
                throw new UnsendableMessage(
                        "list of " + list.size() + " where " + max + " are allowed");
            }
            out.rawInt(list.size());
            out.rawByte(element.tag());
            for (int i = 0; i < list.size(); i++) {
                element.write(out, list.get(i));
            }
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            int size = in.rawInt();
            if (size < 0 || size > max) {
                throw new BadFrame("list over its bound of " + max);
            }
            if (in.rawByte() != element.tag()) {
                throw new BadFrame("element tag");
            }
            List<Object> list = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                list.add(element.read(in));
            }
            return list;
        }
    }

    private static final class NestedCodec extends FieldCodec {
        private final RecordCodec codec;

        NestedCodec(Class<?> type) {
            super(Tag.RECORD, RecordCodec.of(type).shape());
            codec = RecordCodec.of(type);
        }

        @Override
        void write(FieldWriter out, Object value) {
            codec.write(out, value);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            return codec.read(in);
        }
    }

    /** A record out of a sealed interface: its index among the permitted ones, then its fields. */
    private static final class SealedCodec extends FieldCodec {
        private final RecordCodec[] codecs;
        private final Map<Class<?>, Integer> index = new ConcurrentHashMap<>();

        SealedCodec(Class<?> type) {
            super(Tag.RECORD, shapeOf(type));
            Class<?>[] permitted = type.getPermittedSubclasses();
            codecs = new RecordCodec[permitted.length];
            for (int i = 0; i < permitted.length; i++) {
                codecs[i] = RecordCodec.of(permitted[i]);
                index.put(permitted[i], i);
            }
        }

        private static String shapeOf(Class<?> type) {
            StringBuilder shape = new StringBuilder("sealed(");
            for (Class<?> permitted : type.getPermittedSubclasses()) {
                shape.append(RecordCodec.of(permitted).shape()).append('|');
            }
            return shape.append(')').toString();
        }

        @Override
        void write(FieldWriter out, Object value) {
            int i = index.get(value.getClass());
            out.rawByte(i);
            codecs[i].write(out, value);
        }

        @Override
        Object read(FieldReader in) throws BadFrame {
            int i = in.rawByte();
            if (i >= codecs.length) {
                throw new BadFrame("record index " + i);
            }
            return codecs[i].read(in);
        }
    }
}
