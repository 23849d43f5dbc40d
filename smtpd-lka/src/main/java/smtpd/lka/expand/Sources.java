package smtpd.lka.expand;

import java.util.Optional;
import java.util.function.Consumer;
import smtpd.conf.Config;
import smtpd.lka.rule.RuleSet;
import smtpd.lka.table.UserAnswer;
import smtpd.table.TableRef;

/**
 * All that an expansion asks. Answers come on the event loop, perhaps before the question returns,
 * exactly once or, when a peer dies, never: the expansion has a time limit of its own.
 */
public interface Sources {

    Config config();

    RuleSet rules();

    RuleSet.Tables tables();

    void user(Optional<TableRef> userbase, String name, Consumer<UserAnswer> then);

    void forward(UserAnswer.Found user, Consumer<ForwardAnswer> then);

    /**
     * Reads a file that an alias includes.
     *
     * @param then gets null when it cannot be read
     */
    void include(String path, Consumer<byte[]> then);

    /** The only account this instance may deliver to, when a plain user started it. */
    Optional<UserAnswer.Found> onlyUser();
}
