package smtpd.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class UsersTest {
    @Test
    void everyLineOfPasswdIsFoundByNameAndNumber() throws IOException {
        for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
            List<String> fields = List.of(line.split(":", -1));
            if (fields.size() != 7) {
                continue;
            }
            User user = Users.byName(fields.get(0)).orElseThrow();
            assertThat(user.uid()).isEqualTo(Integer.parseUnsignedInt(fields.get(2)));
            assertThat(user.gid()).isEqualTo(Integer.parseUnsignedInt(fields.get(3)));
            assertThat(user.home()).isEqualTo(fields.get(5));
            assertThat(user.shell()).isEqualTo(fields.get(6));
            assertThat(Users.byUid(user.uid())).isPresent();
            assertThat(Users.groups(user.name(), user.gid())).contains(user.gid());
        }
    }

    @Test
    void missingNamesAreNoErrors() throws IOException {
        assertThat(Users.byName("no-such-user-here")).isEmpty();
        assertThat(Users.byName("")).isEmpty();
        assertThat(Users.byName("root\0x")).isEmpty();
        assertThat(Users.byName("x".repeat(5000))).isEmpty();
        assertThat(Users.byUid(0x7abcdef0)).isEmpty();
        assertThat(Users.groupByName("no-such-group-here")).isEmpty();
        assertThat(Users.groupByName("root")).hasValue(0);
    }

    @Test
    void aSourceThatCannotAnswerIsTemporary() {
        assertThat(Users.isMissing(0)).isTrue();
        assertThat(Users.isMissing(Errno.ENOENT)).isTrue();
        assertThat(Users.isMissing(Errno.EIO)).isFalse();
        assertThat(Users.isMissing(Errno.EAGAIN)).isFalse();
        assertThat(Users.isMissing(Errno.ETIMEDOUT)).isFalse();
        assertThat(Users.isMissing(Errno.EMFILE)).isFalse();
    }
}
