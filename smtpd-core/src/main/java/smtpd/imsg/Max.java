package smtpd.imsg;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Upper bound of a record component: bytes of a string or byte array, elements of a list. Checked
 * when a frame is written and again when it is read. Without it strings hold at most 8,191 bytes
 * and lists 256 elements.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT})
public @interface Max {
    int value();
}
