package smtpd.mda.deliver;

/** What the end of a delivery command means (sysexits.h), and what it is called. */
final class SysExit {

    private SysExit() {}

    /**
     * @param status exit code
     * @param classic in the classic dialect every failure is temporary, bounded by queue expiry
     * @param said last line of the command's output, already printable; empty for none
     */
    static Verdict verdict(int status, boolean classic, String said) {
        String text = said.isEmpty() ? name(status) : '"' + said + '"';
        if (status == 71 || status == 75) {
            return Verdict.temporary("4.3.0", text);
        }
        if (status == 126 || status == 127) {
            // A typing error in .forward must not bounce mail.
            return Verdict.temporary("4.3.5", text);
        }
        String esc = code(status);
        return classic
                ? Verdict.temporary("4" + esc.substring(1), text)
                : new Verdict.Permanent(esc, text);
    }

    static Verdict killed(int signal, String said) {
        return Verdict.temporary(
                "4.3.0", said.isEmpty() ? "terminated; signal " + signal : '"' + said + '"');
    }

    private static String code(int status) {
        return switch (status) {
            case 64, 78 -> "5.3.5";
            case 65 -> "5.6.0";
            case 67 -> "5.1.1";
            case 68 -> "5.1.2";
            case 73 -> "5.2.0";
            case 76 -> "5.5.0";
            case 77 -> "5.7.0";
            default -> "5.3.0";
        };
    }

    private static String name(int status) {
        return switch (status) {
            case 64 -> "command line usage error";
            case 65 -> "data format error";
            case 66 -> "cannot open input";
            case 67 -> "user unknown";
            case 68 -> "host name unknown";
            case 69 -> "service unavailable";
            case 70 -> "internal software error";
            case 71 -> "system error";
            case 72 -> "critical system file missing";
            case 73 -> "cannot create output file";
            case 74 -> "input/output error";
            case 75 -> "temporary failure";
            case 76 -> "remote error in protocol";
            case 77 -> "permission denied";
            case 78 -> "configuration error";
            case 126 -> "command cannot be executed";
            case 127 -> "command not found";
            default -> "exited abnormally";
        };
    }
}
