package smtpd.imsg;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads the fields of one frame body and never past its end. */
final class FieldReader {

    private final ByteBuf in;
    private final int end;

    FieldReader(ByteBuf in, int end) {
        this.in = in;
        this.end = end;
    }

    private void need(int bytes) throws BadFrame {
        if (bytes < 0 || end - in.readerIndex() < bytes) {
            throw new BadFrame("short");
        }
    }

    private void tag(int wanted) throws BadFrame {
        need(1);
        int tag = in.readUnsignedByte();
        if (tag != wanted) {
            throw new BadFrame("tag " + tag + " where " + wanted + " belongs");
        }
    }

    boolean bool() throws BadFrame {
        tag(Tag.BOOL);
        return rawBool();
    }

    int int32() throws BadFrame {
        tag(Tag.INT);
        return rawInt();
    }

    long int64() throws BadFrame {
        tag(Tag.LONG);
        return rawLong();
    }

    Object field(FieldCodec codec) throws BadFrame {
        tag(codec.tag());
        return codec.read(this);
    }

    boolean rawBool() throws BadFrame {
        int value = rawByte();
        if (value > 1) {
            throw new BadFrame("boolean " + value);
        }
        return value == 1;
    }

    int rawByte() throws BadFrame {
        need(1);
        return in.readUnsignedByte();
    }

    int rawShort() throws BadFrame {
        need(2);
        return in.readUnsignedShort();
    }

    int rawInt() throws BadFrame {
        need(4);
        return in.readInt();
    }

    long rawLong() throws BadFrame {
        need(8);
        return in.readLong();
    }

    byte[] rawBytes(int max) throws BadFrame {
        int length = rawInt();
        if (length < 0 || length > max) {
            throw new BadFrame("bytes over their bound of " + max);
        }
        need(length);
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        return bytes;
    }

    String rawString(int max) throws BadFrame {
        int length = rawInt();
        if (length < 0 || length > max) {
            throw new BadFrame("string over its bound of " + max);
        }
        need(length);
        if (length == 0) {
            return "";
        }
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        for (byte b : bytes) {
            if (b < 0) {
                return strictUtf8(bytes);
            }
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static String strictUtf8(byte[] bytes) throws BadFrame {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new BadFrame("string is not UTF-8");
        }
    }

    void atEnd() throws BadFrame {
        if (in.readerIndex() != end) {
            throw new BadFrame((end - in.readerIndex()) + " bytes left over");
        }
    }
}
