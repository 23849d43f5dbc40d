package smtpd.sys;

import java.lang.invoke.MethodHandle;

/**
 * One libc function with up to six integer or pointer arguments. A result of -1 comes back as
 * {@code -errno}, read in the same native transition, before anything else can overwrite it.
 *
 * @param handle takes the errno segment, then one {@code long} per argument, gives a {@code long}
 * @param wide false when the C function returns an {@code int}: the upper half of the register is
 *     then undefined
 */
record Call(MethodHandle handle, boolean wide) {

    long of() {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    long of(long a) {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno, a));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    long of(long a, long b) {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno, a, b));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    long of(long a, long b, long c) {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno, a, b, c));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    long of(long a, long b, long c, long d) {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno, a, b, c, d));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    long of(long a, long b, long c, long d, long e) {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno, a, b, c, d, e));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    long of(long a, long b, long c, long d, long e, long f) {
        Scratch scratch = Scratch.current();
        try {
            return result(scratch, (long) handle.invokeExact(scratch.errno, a, b, c, d, e, f));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private long result(Scratch scratch, long raw) {
        long value = wide ? raw : (int) raw;
        return value == -1 ? -scratch.errno() : value;
    }

    /** A downcall throws only when its shape is wrong: a defect of this package. */
    private static AssertionError unexpected(Throwable e) {
        return new AssertionError("downcall failed", e);
    }
}
