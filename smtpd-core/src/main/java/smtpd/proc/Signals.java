package smtpd.proc;

import java.util.function.Consumer;

/**
 * Signals by name, heard on a thread of the JVM. The JDK's only way to them is its internal class.
 */
public final class Signals {

    private Signals() {}

    /**
     * @param name without SIG: TERM, INT, HUP
     * @param heard given the name
     */
    public static void on(String name, Consumer<String> heard) {
        sun.misc.Signal.handle(new sun.misc.Signal(name), s -> heard.accept(s.getName()));
    }
}
