package smtpd.imsg;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;

/** A password, key or credential: never printed, and wiped when its owner is done with it. */
public final class Secret {

    private final byte[] bytes;

    /** Takes over {@code bytes}; the caller keeps no copy. */
    public Secret(byte[] bytes) {
        this.bytes = bytes;
    }

    public static Secret of(String text) {
        return new Secret(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The bytes themselves, not a copy, so that {@link #wipe} reaches them. */
    public byte[] bytes() {
        return bytes;
    }

    public void wipe() {
        Arrays.fill(bytes, (byte) 0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret s && MessageDigest.isEqual(bytes, s.bytes);
    }

    @Override
    public int hashCode() {
        return bytes.length;
    }

    @Override
    public String toString() {
        return "[redacted]";
    }
}
