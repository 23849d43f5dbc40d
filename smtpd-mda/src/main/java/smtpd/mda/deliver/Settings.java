package smtpd.mda.deliver;

import java.time.Duration;
import java.time.ZoneId;

/**
 * What all deliveries share.
 *
 * @param serverName our name, in file names and at LHLO
 * @param mailFolder where the system's mailboxes are
 * @param zone of From_ lines
 * @param timeout of one delivery
 * @param grace between TERM and KILL of a command that is out of time
 * @param lockPatience how long a locked mailbox is waited for
 * @param writers threads that write mailboxes at once
 */
public record Settings(
        String serverName,
        String mailFolder,
        ZoneId zone,
        Duration timeout,
        Duration grace,
        Duration lockPatience,
        int writers) {

    public static Settings of(String serverName, String mailFolder) {
        return new Settings(
                serverName,
                mailFolder,
                ZoneId.systemDefault(),
                Duration.ofSeconds(300),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30),
                4 * Runtime.getRuntime().availableProcessors());
    }
}
