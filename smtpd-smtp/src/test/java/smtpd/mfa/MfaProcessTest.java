package smtpd.mfa;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.conf.Config;
import smtpd.conf.ConfigBundle;
import smtpd.conf.ConfigParser;
import smtpd.conf.Instance;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.Role;
import smtpd.proc.Harness;

class MfaProcessTest {

    @TempDir private Path dir;

    @Test
    void withoutFiltersItIsReadyAtOnceAndObeys() throws Exception {
        Config config =
                ConfigParser.parse(
                        ConfigBundle.ofText(
                                1,
                                Instance.at(dir),
                                "mx.example",
                                "smtpd.conf",
                                "listen on localhost\naccept for any relay\n"));
        try (Harness<MfaProcess> mfa = new Harness<>(Role.MFA, MfaProcess::new)) {
            mfa.configure(config);
            mfa.peer(Role.CONTROL).send(7, new ControlToChild.TraceState(1, 0, true));
            assertThat(mfa.peer(Role.CONTROL).get(ChildToControl.TraceApplied.class).mask())
                    .isEqualTo(1);
            mfa.parent().send(0, new ParentToChild.Stop(1000));
            assertThat(mfa.awaitEnd()).isZero();
        }
    }
}
