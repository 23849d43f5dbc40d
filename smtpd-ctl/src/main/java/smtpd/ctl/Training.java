package smtpd.ctl;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The run that fills the class cache of {@code smtpctl}: every kind of command once, to the daemon
 * of the folder that {@code -r} names. Started by the assembly of the installation, never by an
 * operator.
 */
public final class Training {

    private static final List<String> COMMANDS =
            List.of(
                    "show stats",
                    "show status",
                    "show queue",
                    "show routes",
                    "show hosts",
                    "show relays",
                    "show profile",
                    "trace smtp",
                    "untrace all",
                    "profile imsg",
                    "unprofile imsg",
                    "log brief",
                    "pause mta",
                    "resume mta",
                    "schedule all -y",
                    "show envelope 0000000100000001",
                    "show message 00000001",
                    "monitor -n 1");

    private Training() {}

    public static void main(String[] arguments) {
        OutputStream nowhere = OutputStream.nullOutputStream();
        Smtpctl program =
                new Smtpctl(nowhere, new PrintStream(nowhere, false, StandardCharsets.UTF_8));
        for (String command : COMMANDS) {
            List<String> words = new ArrayList<>(List.of(arguments));
            words.addAll(List.of(command.split(" ", -1)));
            program.run(words.toArray(String[]::new), null);
        }
        System.exit(0); // the cache is written by an orderly exit alone
    }
}
