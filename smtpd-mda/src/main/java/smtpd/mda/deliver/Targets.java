package smtpd.mda.deliver;

/** Works out where a delivery goes, from the raw texts of its action. */
public final class Targets {

    private Targets() {}

    static String maildirRoot(Job job, Method.Maildir method) throws Specifiers.BadFormat {
        return method.path().value().isEmpty()
                ? job.runAs().home() + "/Maildir"
                : new Specifiers(job, null).expand(method.path(), Specifiers.Use.PATH);
    }

    /** Why a path is no target, or null: it must be absolute and must not climb. */
    static Verdict refusePath(String path) {
        if (path.isEmpty() || path.charAt(0) != '/') {
            return new Verdict.Permanent("5.3.5", "path is not absolute");
        }
        int start = 1;
        while (start <= path.length()) {
            int slash = path.indexOf('/', start);
            int end = slash < 0 ? path.length() : slash;
            if (end > start && isDots(path, start, end)) {
                return new Verdict.Permanent("5.3.5", "path leaves the allowed trees");
            }
            start = end + 1;
        }
        return null;
    }

    private static boolean isDots(String path, int start, int end) {
        for (int i = start; i < end; i++) {
            if (path.charAt(i) != '.') {
                return false;
            }
        }
        return true;
    }

    /** The text for the shell: the command itself, or its wrapper with the command inside. */
    static String command(Job job, Method.Command method) throws Specifiers.BadFormat {
        Specifiers plain = new Specifiers(job, null);
        String command = plain.expand(method.text(), Specifiers.Use.COMMAND);
        if (method.wrapper() == null) {
            return command;
        }
        return new Specifiers(job, command)
                .expand(Method.Text.raw(method.wrapper()), Specifiers.Use.COMMAND);
    }

    /**
     * The file that only one delivery may write at a time, or null: mailboxes in mbox format. A
     * text that cannot be expanded names none, its delivery fails by itself.
     */
    public static String exclusiveFile(Job job) {
        return switch (job.method()) {
            case Method.Mbox _ -> "mbox:" + job.account().name();
            case Method.Filename m -> {
                try {
                    yield "file:" + new Specifiers(job, null).expand(m.path(), Specifiers.Use.PATH);
                } catch (Specifiers.BadFormat e) {
                    yield null;
                }
            }
            default -> null;
        };
    }

    /** {@code host:port} of an LMTP destination by TCP; null for a socket path or a bad text. */
    public static HostPort lmtpHost(Job job, Method.Lmtp method) {
        String text;
        try {
            text = new Specifiers(job, null).expand(method.destination(), Specifiers.Use.PATH);
        } catch (Specifiers.BadFormat e) {
            return null;
        }
        return HostPort.parse(text);
    }

    /**
     * A host and a port.
     *
     * @param host name, or address without brackets
     */
    public record HostPort(String host, int port) {
        static HostPort parse(String text) {
            int colon = text.lastIndexOf(':');
            if (text.startsWith("/") || colon <= 0 || text.length() - colon > 6) {
                return null;
            }
            String host = text.substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            } else if (host.indexOf(':') >= 0) {
                return null;
            }
            int port = 0;
            for (int i = colon + 1; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c < '0' || c > '9') {
                    return null;
                }
                port = port * 10 + c - '0';
            }
            return port < 1 || port > 65535 || host.isEmpty() ? null : new HostPort(host, port);
        }
    }
}
