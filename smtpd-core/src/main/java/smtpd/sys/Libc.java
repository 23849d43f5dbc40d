package smtpd.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Finds functions of the C library and calls them all by one shape: six 64-bit integers, which is
 * how the calling conventions of x86_64 and aarch64 pass {@code int}, {@code size_t} and pointers
 * alike; a function with fewer parameters does not look at the other registers. One shape, because
 * each costs a start some ten milliseconds of code that is made then.
 */
final class Libc {
    static final boolean X86_64 = "amd64".equals(System.getProperty("os.arch"));
    static final boolean AARCH64 = "aarch64".equals(System.getProperty("os.arch"));

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();

    /** Takes the function's address, the errno segment and six longs; gives a long. */
    static final MethodHandle DOWNCALL =
            LINKER.downcallHandle(
                    FunctionDescriptor.of(
                            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                            JAVA_LONG),
                    Linker.Option.captureCallState("errno"));

    /**
     * syscall(2), with the numbers in {@link Nr}. Declared variadic, which on Linux changes nothing
     * for integers in registers, and its stub in the C library reads all of them.
     */
    private static final Call SYSCALL = wideFunction("syscall");

    private Libc() {}

    /** A function returning {@code int}. */
    static Call function(String name) {
        return new Call(find(name), false);
    }

    /** A function returning {@code ssize_t}, {@code off_t} or the like. */
    static Call wideFunction(String name) {
        return new Call(find(name), true);
    }

    /** A function returning {@code int} that older C libraries lack. */
    static Optional<Call> functionIfThere(String name) {
        return SYMBOLS.find(name).map(function -> new Call(function, false));
    }

    private static MemorySegment find(String name) {
        return SYMBOLS.find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("libc has no " + name));
    }

    /** syscall(2) with five arguments; those a call does not take are ignored by the kernel. */
    static long syscall(int number, long a, long b, long c, long d, long e) {
        if (number < 0) {
            return -Errno.ENOSYS;
        }
        return SYSCALL.of(number, a, b, c, d, e);
    }

    static long syscall(int number, long a, long b, long c) {
        return syscall(number, a, b, c, 0, 0);
    }

    static long syscall(int number, long a) {
        return syscall(number, a, 0, 0, 0, 0);
    }

    /** prctl(2). Speaks for the calling thread unless the option says otherwise. */
    static long prctl(int option, long a, long b, long c, long d) {
        return syscall(Nr.PRCTL, option, a, b, c, d);
    }

    // Layouts of the C structures here take 64-bit pointers for granted.
    static {
        if (ADDRESS.byteSize() != 8 || !(X86_64 || AARCH64)) {
            throw new UnsatisfiedLinkError(
                    "smtpd runs on Linux x86_64 and aarch64, not on "
                            + System.getProperty("os.arch"));
        }
    }
}
