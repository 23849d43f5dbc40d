package smtpd.imsg;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The language one receiver understands: its records numbered from 1, in the order its sealed
 * interface permits them, first mention counts.
 */
public final class Vocabulary {

    private static final Map<Class<?>, Vocabulary> ALL = new ConcurrentHashMap<>();

    private final List<Class<?>> records;
    private final Map<Class<?>, Integer> numbers = new ConcurrentHashMap<>();
    private final RecordCodec[] codecs;

    private Vocabulary(Class<?> receiver) {
        Set<Class<?>> found = new LinkedHashSet<>();
        collect(receiver, found);
        records = List.copyOf(found);
        for (int i = 0; i < records.size(); i++) {
            numbers.put(records.get(i), i + 1);
        }
        codecs = new RecordCodec[records.size()];
    }

    /**
     * The vocabulary of a receiver.
     *
     * @param receiver {@code ToQueue.class} and the like, or {@code ControlToCtl.class}
     */
    public static Vocabulary of(Class<? extends Message> receiver) {
        return ALL.computeIfAbsent(receiver, Vocabulary::new);
    }

    static void collect(Class<?> type, Set<Class<?>> found) {
        if (type.isRecord()) {
            found.add(type);
        } else if (type.isSealed()) {
            for (Class<?> permitted : type.getPermittedSubclasses()) {
                collect(permitted, found);
            }
        }
    }

    /** Number of a record type, 0 when this receiver does not understand it. */
    public int number(Class<?> record) {
        return numbers.getOrDefault(record, 0);
    }

    /** Simple name of a type number, for traces. */
    public String name(int number) {
        return number >= 1 && number <= records.size()
                ? records.get(number - 1).getSimpleName()
                : "type-" + number;
    }

    /** How many record types there are; numbers run from 1 to this. */
    public int size() {
        return records.size();
    }

    /** Which numbers these edge interfaces hold: index by number. */
    public boolean[] numbersOf(Iterable<Class<? extends Message>> edges) {
        boolean[] allowed = new boolean[records.size() + 1];
        Set<Class<?>> found = new LinkedHashSet<>();
        edges.forEach(edge -> collect(edge, found));
        for (Class<?> record : found) {
            allowed[number(record)] = true;
        }
        allowed[0] = false;
        return allowed;
    }

    private RecordCodec codec(int number) {
        RecordCodec codec = codecs[number - 1];
        if (codec == null) {
            codec = RecordCodec.of(records.get(number - 1));
            codecs[number - 1] = codec;
        }
        return codec;
    }

    /**
     * Appends one frame.
     *
     * @param flags MORE or 0; DESCRIPTOR is added when {@code inode} is given
     * @param inode of the descriptor that goes with it, -1 for none
     * @return bytes written
     * @throws UnsendableMessage when a bound is broken; {@code out} is as it was
     */
    public int encode(
            ByteBuf out, Message message, int flags, int peer, long id, long inode, int cap) {
        int start = out.writerIndex();
        int number = number(message.getClass());
        try {
            if (number == 0) {
                throw new UnsendableMessage(message.getClass() + " is not for this receiver");
            }
            out.writeInt(0);
            out.writeShort(number);
            out.writeShort(inode == -1 ? flags : flags | FrameHeader.DESCRIPTOR);
            out.writeInt(peer);
            out.writeLong(id);
            if (inode != -1) {
                out.writeLong(inode);
            }
            codec(number).write(new FieldWriter(out), message);
            int length = out.writerIndex() - start;
            if (length > cap) {
                throw new UnsendableMessage("frame of " + length + " bytes over " + cap);
            }
            out.setInt(start, length);
            return length;
        } catch (RuntimeException e) {
            out.writerIndex(start);
            throw e instanceof UnsendableMessage u
                    ? u
                    : new UnsendableMessage(message.getClass().getSimpleName() + ": " + e);
        }
    }

    /**
     * Reads the fields of one frame; the reader index stands behind header and inode and ends at
     * {@code end}.
     *
     * @throws BadFrame on anything that is not exactly one record of this type
     */
    public Message decode(int number, ByteBuf in, int end) throws BadFrame {
        FieldReader reader = new FieldReader(in, end);
        Object record;
        try {
            record = codec(number).read(reader);
        } catch (RuntimeException e) {
            throw new BadFrame("refused by " + name(number) + ": " + e.getMessage());
        }
        reader.atEnd();
        return (Message) record;
    }

    /** True when the record has a field that must never be printed. */
    public boolean isSecret(int number) {
        return codec(number).shape().contains("secret");
    }

    /** SHA-256 of all record shapes of all receivers. */
    public static byte[] hash() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (Class<?> receiver : Message.class.getPermittedSubclasses()) {
                Set<Class<?>> found = new LinkedHashSet<>();
                collect(receiver, found);
                List<Class<?>> ordered = new ArrayList<>(found);
                sha.update(receiver.getName().getBytes(StandardCharsets.UTF_8));
                for (Class<?> record : ordered) {
                    sha.update(Shape.of(record).getBytes(StandardCharsets.UTF_8));
                }
            }
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
