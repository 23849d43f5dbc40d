package smtpd.parent;

import smtpd.sys.DevLog;

/** Tells a service manager that the daemon serves, sd_notify(3). */
final class ServiceManager {

    private ServiceManager() {}

    /** Does nothing when nobody asked for it. */
    static void ready() {
        String path = System.getenv("NOTIFY_SOCKET");
        if (path == null || path.isEmpty() || !path.startsWith("/")) {
            return;
        }
        byte[] state = "READY=1\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        try (DevLog socket = new DevLog(path)) {
            socket.send(state, state.length, 100);
        }
    }
}
