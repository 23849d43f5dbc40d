package smtpd.sys;

/**
 * How a process ended, from waitpid(2).
 *
 * @param raw the status word
 */
public record ExitStatus(int raw) {

    public boolean isExit() {
        return (raw & 0x7f) == 0;
    }

    /** The exit code; -1 when a signal ended it. */
    public int code() {
        return isExit() ? raw >> 8 & 0xff : -1;
    }

    /** The signal that ended it; 0 when it exited. */
    public int signal() {
        return raw & 0x7f;
    }

    @Override
    public String toString() {
        return isExit() ? "exit " + code() : "signal " + signal();
    }
}
