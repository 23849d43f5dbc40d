package smtpd.imsg;

import java.lang.reflect.RecordComponent;

/** A record type in words: its name, and each component with its type and bound. */
final class Shape {

    private Shape() {}

    /** Shape of a record without making its codec: a process makes only the codecs it uses. */
    static String of(Class<?> record) {
        StringBuilder shape = new StringBuilder(record.getName()).append('(');
        for (RecordComponent component : record.getRecordComponents()) {
            Max max = component.getAnnotation(Max.class);
            shape.append(component.getName())
                    .append(' ')
                    .append(component.getGenericType().getTypeName());
            if (max != null) {
                shape.append("<=").append(max.value());
            }
            Class<?> type = component.getType();
            if (type.isEnum()) {
                for (Object constant : type.getEnumConstants()) {
                    shape.append('|').append(constant);
                }
            } else if (type.isRecord() && type.getPackage() == Shape.class.getPackage()) {
                shape.append(of(type));
            }
            shape.append(',');
        }
        return shape.append(')').toString();
    }
}
