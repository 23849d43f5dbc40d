package smtpd.sys;

import java.lang.foreign.MemorySegment;

/**
 * One libc function with up to six integer or pointer arguments; registers that it does not read
 * hold zero. A result of -1 comes back as {@code -errno}, read in the same native transition,
 * before anything else can overwrite it.
 *
 * @param function its address
 * @param wide false when the C function returns an {@code int}: the upper half of the register is
 *     then undefined
 */
record Call(MemorySegment function, boolean wide) {

    long of() {
        return of(0, 0, 0, 0, 0, 0);
    }

    long of(long a) {
        return of(a, 0, 0, 0, 0, 0);
    }

    long of(long a, long b) {
        return of(a, b, 0, 0, 0, 0);
    }

    long of(long a, long b, long c) {
        return of(a, b, c, 0, 0, 0);
    }

    long of(long a, long b, long c, long d) {
        return of(a, b, c, d, 0, 0);
    }

    long of(long a, long b, long c, long d, long e) {
        return of(a, b, c, d, e, 0);
    }

    long of(long a, long b, long c, long d, long e, long f) {
        Scratch scratch = Scratch.current();
        long raw;
        try {
            raw = (long) Libc.DOWNCALL.invokeExact(function, scratch.errno, a, b, c, d, e, f);
        } catch (Throwable defect) {
            // A downcall throws only when its shape is wrong.
            throw new AssertionError("downcall failed", defect);
        }
        long value = wide ? raw : (int) raw;
        return value == -1 ? -scratch.errno() : value;
    }
}
