package smtpd.conf;

import java.util.Arrays;

/**
 * One file of a configuration.
 *
 * @param name as messages show it; includes are found by it
 * @param content all bytes, not to be changed
 */
public record SourceFile(String name, byte[] content) {

    @Override
    public boolean equals(Object other) {
        return other instanceof SourceFile file
                && name.equals(file.name)
                && Arrays.equals(content, file.content);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(content);
    }

    @Override
    public String toString() {
        return name + " (" + content.length + " bytes)";
    }
}
