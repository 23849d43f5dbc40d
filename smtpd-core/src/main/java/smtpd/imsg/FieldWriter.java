package smtpd.imsg;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

/** Writes fields with their tags. The buffer grows as needed; bounds are checked here. */
final class FieldWriter {

    private final ByteBuf out;

    FieldWriter(ByteBuf out) {
        this.out = out;
    }

    void bool(boolean value) {
        out.writeByte(Tag.BOOL);
        out.writeByte(value ? 1 : 0);
    }

    void int32(int value) {
        out.writeByte(Tag.INT);
        out.writeInt(value);
    }

    void int64(long value) {
        out.writeByte(Tag.LONG);
        out.writeLong(value);
    }

    void field(FieldCodec codec, Object value) {
        out.writeByte(codec.tag());
        codec.write(this, value);
    }

    void rawByte(int value) {
        out.writeByte(value);
    }

    void rawShort(int value) {
        out.writeShort(value);
    }

    void rawInt(int value) {
        out.writeInt(value);
    }

    void rawLong(long value) {
        out.writeLong(value);
    }

    void rawBytes(byte[] bytes, int offset, int length, int max) {
        if (length > max) {
            throw new UnsendableMessage(length + " bytes where " + max + " are allowed");
        }
        out.writeInt(length);
        out.writeBytes(bytes, offset, length);
    }

    void rawString(String text, int max) {
        int at = out.writerIndex();
        out.writeInt(0);
        int length = ByteBufUtil.writeUtf8(out, text);
        if (length > max) {
            throw new UnsendableMessage(
                    "string of " + length + " bytes where " + max + " are allowed");
        }
        out.setInt(at, length);
    }
}
