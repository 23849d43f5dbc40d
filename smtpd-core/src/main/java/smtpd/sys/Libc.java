package smtpd.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Optional;

/**
 * Finds functions of the C library and gives them one of seven shapes: every argument travels as a
 * 64-bit integer, which is what the calling conventions of x86_64 and aarch64 do with {@code int},
 * {@code size_t} and pointers alike. Few shapes, so that a start links few stubs.
 */
final class Libc {
    static final boolean X86_64 = "amd64".equals(System.getProperty("os.arch"));
    static final boolean AARCH64 = "aarch64".equals(System.getProperty("os.arch"));

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    /** syscall(2): the one variadic function bound; its numbers are in {@link Nr}. */
    private static final Call SYSCALL = syscall();

    private Libc() {}

    /** A function returning {@code int}. */
    static Call function(String name, int arguments) {
        return new Call(bind(name, arguments, ERRNO), false);
    }

    /** A function returning {@code ssize_t}, {@code off_t} or the like. */
    static Call wideFunction(String name, int arguments) {
        return new Call(bind(name, arguments, ERRNO), true);
    }

    /** A function returning {@code int} that older C libraries lack. */
    static Optional<Call> functionIfThere(String name, int arguments) {
        return SYMBOLS.find(name).isPresent()
                ? Optional.of(function(name, arguments))
                : Optional.empty();
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

    private static Call syscall() {
        return new Call(bind("syscall", 6, ERRNO, Linker.Option.firstVariadicArg(1)), true);
    }

    private static MethodHandle bind(String name, int arguments, Linker.Option... options) {
        var parameters = new MemoryLayout[arguments];
        Arrays.fill(parameters, JAVA_LONG);
        return LINKER.downcallHandle(
                SYMBOLS.find(name)
                        .orElseThrow(() -> new UnsatisfiedLinkError("libc has no " + name)),
                FunctionDescriptor.of(JAVA_LONG, parameters),
                options);
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
