package smtpd.imsg;

/** How one type of field is written; made once per record component, at class load. */
abstract class FieldCodec {

    private final int tag;
    private final String shape;

    FieldCodec(int tag, String shape) {
        this.tag = tag;
        this.shape = shape;
    }

    /** One of {@link Tag}. */
    final int tag() {
        return tag;
    }

    /** The type and its bounds in words, for the vocabulary hash. */
    final String shape() {
        return shape;
    }

    abstract void write(FieldWriter out, Object value);

    abstract Object read(FieldReader in) throws BadFrame;
}
