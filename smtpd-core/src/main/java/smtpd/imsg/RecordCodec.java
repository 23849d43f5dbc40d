package smtpd.imsg;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes and reads one record type, field by field in declaration order. The methods that touch the
 * fields are generated from the record's components when the first record of the type is met: the
 * derivation stands in one place, and no frame pays for reflection.
 */
abstract class RecordCodec {

    private static final Map<Class<?>, RecordCodec> CODECS = new ConcurrentHashMap<>();
    private static final ClassDesc WRITER = FieldWriter.class.describeConstable().orElseThrow();
    private static final ClassDesc READER = FieldReader.class.describeConstable().orElseThrow();
    private static final ClassDesc CODEC = FieldCodec.class.describeConstable().orElseThrow();
    private static final ClassDesc SELF = RecordCodec.class.describeConstable().orElseThrow();

    /** One per component; used by the generated code for all but boolean, int and long. */
    final FieldCodec[] fields;

    private final String shape;

    RecordCodec(FieldCodec[] fields, String shape) {
        this.fields = fields;
        this.shape = shape;
    }

    abstract void write(FieldWriter out, Object record);

    abstract Object read(FieldReader in) throws BadFrame;

    final String shape() {
        return shape;
    }

    static RecordCodec of(Class<?> type) {
        RecordCodec known = CODECS.get(type);
        if (known == null) {
            known = generate(type);
            CODECS.put(type, known);
        }
        return known;
    }

    /** Name and types of a record in words. */
    static String shapeOf(Class<?> type, RecordComponent[] components, FieldCodec[] fields) {
        StringBuilder shape = new StringBuilder(type.getName()).append('(');
        for (int i = 0; i < fields.length; i++) {
            shape.append(components[i].getName()).append(' ').append(fields[i].shape()).append(',');
        }
        return shape.append(')').toString();
    }

    private static RecordCodec generate(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        FieldCodec[] fields = new FieldCodec[components.length];
        for (int i = 0; i < fields.length; i++) {
            fields[i] = FieldCodecs.of(components[i]);
        }
        MethodTypeDesc constructor =
                MethodTypeDesc.of(CD_void, CODEC.arrayType(), ConstantDescs.CD_String);
        byte[] bytes =
                ClassFile.of()
                        .build(
                                ClassDesc.of("smtpd.imsg.RecordCodec$" + type.getSimpleName()),
                                builder ->
                                        builder.withSuperclass(SELF)
                                                .withFlags(
                                                        ClassFile.ACC_FINAL
                                                                | ClassFile.ACC_SYNTHETIC)
                                                .withMethodBody(
                                                        ConstantDescs.INIT_NAME,
                                                        constructor,
                                                        0,
                                                        code ->
                                                                code.aload(0)
                                                                        .aload(1)
                                                                        .aload(2)
                                                                        .invokespecial(
                                                                                SELF,
                                                                                ConstantDescs
                                                                                        .INIT_NAME,
                                                                                constructor)
                                                                        .return_())
                                                .withMethodBody(
                                                        "write",
                                                        MethodTypeDesc.of(
                                                                CD_void, WRITER, CD_Object),
                                                        0,
                                                        code -> writeBody(code, type, components))
                                                .withMethodBody(
                                                        "read",
                                                        MethodTypeDesc.of(CD_Object, READER),
                                                        0,
                                                        code -> readBody(code, type, components)));
        try {
            MethodHandles.Lookup hidden = MethodHandles.lookup().defineHiddenClass(bytes, true);
            return (RecordCodec)
                    hidden.findConstructor(
                                    hidden.lookupClass(),
                                    MethodType.methodType(
                                            void.class, FieldCodec[].class, String.class))
                            .invoke(fields, shapeOf(type, components, fields));
        } catch (Throwable e) {
            throw new LinkageError("codec of " + type.getName(), e);
        }
    }

    private static void writeBody(CodeBuilder code, Class<?> type, RecordComponent[] components) {
        ClassDesc record = type.describeConstable().orElseThrow();
        for (int i = 0; i < components.length; i++) {
            ClassDesc field = components[i].getType().describeConstable().orElseThrow();
            code.aload(1);
            if (!isDirect(field)) {
                loadCodec(code, i);
            }
            code.aload(2).checkcast(record);
            code.invokevirtual(record, components[i].getName(), MethodTypeDesc.of(field));
            if (isDirect(field)) {
                code.invokevirtual(WRITER, direct(field), MethodTypeDesc.of(CD_void, field));
            } else {
                code.invokevirtual(WRITER, "field", MethodTypeDesc.of(CD_void, CODEC, CD_Object));
            }
        }
        code.return_();
    }

    private static void readBody(CodeBuilder code, Class<?> type, RecordComponent[] components) {
        ClassDesc record = type.describeConstable().orElseThrow();
        ClassDesc[] parameters = new ClassDesc[components.length];
        code.new_(record).dup();
        for (int i = 0; i < components.length; i++) {
            ClassDesc field = components[i].getType().describeConstable().orElseThrow();
            parameters[i] = field;
            code.aload(1);
            if (isDirect(field)) {
                code.invokevirtual(READER, direct(field), MethodTypeDesc.of(field));
            } else {
                loadCodec(code, i);
                code.invokevirtual(READER, "field", MethodTypeDesc.of(CD_Object, CODEC));
                code.checkcast(field);
            }
        }
        code.invokespecial(record, ConstantDescs.INIT_NAME, MethodTypeDesc.of(CD_void, parameters));
        code.areturn();
    }

    private static void loadCodec(CodeBuilder code, int i) {
        code.aload(0).getfield(SELF, "fields", CODEC.arrayType()).loadConstant(i).aaload();
    }

    private static boolean isDirect(ClassDesc field) {
        return field.equals(CD_boolean) || field.equals(CD_int) || field.equals(CD_long);
    }

    private static String direct(ClassDesc field) {
        return field.equals(CD_boolean) ? "bool" : field.equals(CD_int) ? "int32" : "int64";
    }
}
