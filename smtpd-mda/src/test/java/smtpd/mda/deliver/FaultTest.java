package smtpd.mda.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import smtpd.sys.Errno;

final class FaultTest {

    private static Verdict.Temporary of(int errno) {
        return (Verdict.Temporary) Fault.verdict(errno, "step");
    }

    @Test
    void fullDisksAndQuotasAreTemporaryForThisMailOnly() {
        assertThat(of(Errno.ENOSPC).esc()).isEqualTo("4.3.1");
        for (int errno : new int[] {Errno.EDQUOT, Errno.EFBIG}) {
            assertThat(of(errno))
                    .isEqualTo(new Verdict.Temporary("4.2.2", "mailbox full", Verdict.Cause.FULL));
        }
    }

    @Test
    void sickFileSystemsPauseTheirUser() {
        int[] sick = {Errno.EROFS, Errno.EIO, Errno.ESTALE, Errno.ENODEV, Errno.ENXIO};
        for (int errno : sick) {
            assertThat(of(errno).esc()).isEqualTo("4.3.0");
            assertThat(of(errno).cause()).isEqualTo(Verdict.Cause.DEVICE);
        }
    }

    @Test
    void whatTheProcessLacksIsNoTry() {
        int[] lack = {Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN};
        for (int errno : lack) {
            assertThat(of(errno).cause()).isEqualTo(Verdict.Cause.RESOURCES);
        }
    }

    @Test
    void wrongPathsAreTemporary() {
        int[] wrong = {Errno.ELOOP, Errno.ENOTDIR, Errno.ENAMETOOLONG, Errno.EISDIR};
        for (int errno : wrong) {
            assertThat(of(errno).esc()).isEqualTo("4.2.0");
        }
    }

    @Test
    void nothingTheKernelSaysIsPermanent() {
        for (int errno = 1; errno < 140; errno++) {
            assertThat(of(errno).esc()).startsWith("4.");
            assertThat(of(errno).text()).isNotEmpty();
        }
        assertThat(of(Errno.EACCES).text()).isEqualTo("step: Permission denied");
    }
}
