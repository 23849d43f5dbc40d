package smtpd.lka;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import smtpd.imsg.ChildToControl;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ControlToLka;
import smtpd.imsg.LkaToMda;
import smtpd.imsg.MdaToLka;
import smtpd.imsg.Role;
import smtpd.log.Trace;
import smtpd.log.TraceLines;

/** What {@code trace lookup}, {@code rules}, {@code expand} and {@code tables} show. */
class TraceTest {

    @TempDir Path folder;
    private Path aliases;
    private House house;

    @BeforeEach
    void start() throws IOException {
        aliases = folder.resolve("aliases");
        Files.writeString(aliases, "info: bob, ann, bob\nlong: \"|/bin/cat\"\n");
        house =
                new House(
                        "table aliases file:"
                                + aliases
                                + "\n"
                                + "reject from any sender \"bad@far.example\" for any\n"
                                + "accept from any for domain \"here.example\" alias <aliases>"
                                + " deliver to mbox\n");
    }

    @AfterEach
    void stop() {
        house.close();
    }

    private void trace(int mask) {
        var control = house.harness.peer(Role.CONTROL);
        control.send(0, new ControlToChild.TraceState(mask, 0, false));
        assertThat(control.get(ChildToControl.TraceApplied.class).mask()).isEqualTo(mask);
    }

    @Test
    void searchesOfTablesAreShownWithSessionAndResult() {
        try (TraceLines lines = new TraceLines(Trace.LOOKUP)) {
            house.expand("info@here.example");
            assertThat(lines.lines()).isEmpty();
            trace(Trace.LOOKUP.bit());
            house.expand("info@here.example");
            assertThat(lines.lines())
                    .contains(
                            "trace=lookup sid=0000000000000002 text=\"lookup \\\"info\\\" as alias in"
                                    + " table file:aliases -> \\\"bob, ann, bob\\\"\"")
                    .contains(
                            "trace=lookup sid=0000000000000002 text=\"lookup \\\"bob\\\" as alias in"
                                    + " table file:aliases -> none\"")
                    .contains(
                            "trace=lookup sid=0000000000000002 text=\"lookup \\\"bob\\\" as userinfo in"
                                    + " table getpwnam:<getpwnam> -> \\\"1001:1001:/home/bob\\\"\"")
                    .anyMatch(l -> l.matches(".*match .*here.example.* as domain .*-> true\""))
                    .anyMatch(l -> l.matches(".*match .*zed@far.* as mailaddr .*-> false\""));
            var mda = house.harness.peer(Role.MDA);
            mda.send(0x99, new MdaToLka.UserInfo(1, "<getpwnam>", "nobody"));
            mda.expect(LkaToMda.UserIs.class);
            assertThat(lines.lines().getLast())
                    .isEqualTo(
                            "trace=lookup sid=0000000000000099 text=\"lookup \\\"nobody\\\" as userinfo"
                                    + " in table getpwnam:<getpwnam> -> none\"");
            trace(0);
            int before = lines.lines().size();
            house.expand("info@here.example");
            assertThat(lines.lines()).hasSize(before);
        }
    }

    @Test
    void theRuleThatDecidedIsShownInWordsOfTheConfiguration() {
        try (TraceLines lines = new TraceLines(Trace.RULES)) {
            trace(Trace.RULES.bit());
            house.expand("bob@here.example");
            assertThat(lines.lines())
                    .singleElement()
                    .asString()
                    .startsWith(
                            "trace=rules sid=0000000000000001 text=\"rule #2 matched: match from"
                                    + " any for domain here.example action ")
                    .endsWith(" mbox alias <aliases> # conf:3\"");
            house.expand("bob@elsewhere.example");
            assertThat(lines.lines().getLast()).endsWith("text=\"no rule matched\"");
            house.sender = new smtpd.mail.MailAddress("bad", "far.example");
            house.expand("bob@here.example");
            assertThat(lines.lines().getLast()).contains("rule #1 matched: ").contains(" reject #");
        }
    }

    @Test
    void everyNodeOfAnExpansionIsShownAndEveryDecisionAboutAForwardFile() {
        house.forwards.put("ann", "ann, carl@far.example\n");
        try (TraceLines lines = new TraceLines(Trace.EXPAND)) {
            trace(Trace.EXPAND.bit());
            house.expand("info@here.example");
            assertThat(lines.texts())
                    .contains(
                            "text=\"insert address: info@here.example [depth=0] origin=rcpt\"",
                            "text=\"expand address: info@here.example [depth=0]\"",
                            "text=\"insert username: bob [depth=2] origin=mapping parent=username:"
                                    + " info\"",
                            "text=\"duplicate username: bob [depth=2] parent=username: info\"",
                            "text=\"forward of bob: no file\"",
                            "text=\"forward of ann: 2 new targets\"",
                            "text=\"forward of ann: not consulted again, it names its own user\"")
                    .anyMatch(l -> l.startsWith("text=\"deliver username: bob [depth=2] action="));
            house.forwards.put("bob", "ann@here.example\n");
            house.forwards.put("ann", "bob@here.example\n");
            house.expand("bob@here.example");
            assertThat(lines.texts()).anyMatch(l -> l.startsWith("text=\"node too deep: "));
        }
    }

    @Test
    void tablesOfANewConfigurationAreReadOffTheLoop() {
        try (TraceLines lines = new TraceLines(Trace.TABLES)) {
            trace(Trace.TABLES.bit());
            house.harness.configure(
                    House.config(
                            2,
                            "table aliases file:"
                                    + aliases
                                    + "\naccept from any for domain \"here.example\" alias"
                                    + " <aliases> deliver to mbox\n"));
            assertThat(lines.texts()).anyMatch(l -> l.contains("load file:aliases "));
            assertThat(lines.threads()).allMatch(name -> name.startsWith("lka-disk-"));
        }
    }

    @Test
    void commandsAreCutAndStayOnOneLine() throws IOException {
        Files.writeString(aliases, "long: \"|/bin/x " + "y".repeat(600) + "\"\n");
        var control = house.harness.peer(Role.CONTROL);
        control.sendFor(1, 1, new ControlToLka.UpdateTable("aliases"));
        assertThat(control.get(ChildToControl.ControlDone.class).ok()).isTrue();
        try (TraceLines lines = new TraceLines(Trace.EXPAND)) {
            trace(Trace.EXPAND.bit());
            house.expand("long@here.example");
            assertThat(lines.texts())
                    .contains(
                            "text=\"insert filter: /bin/x "
                                    + "y".repeat(248)
                                    + " [depth=2] origin=mapping parent=username: long\"");
        }
    }

    @Test
    void theLifeOfTablesIsShownWithoutTheirContent() throws IOException {
        try (TraceLines lines = new TraceLines(Trace.TABLES)) {
            trace(Trace.TABLES.bit());
            Files.writeString(aliases, "info: secretary\n");
            var control = house.harness.peer(Role.CONTROL);
            control.sendFor(1, 1, new ControlToLka.UpdateTable("aliases"));
            assertThat(control.get(ChildToControl.ControlDone.class).ok()).isTrue();
            assertThat(lines.texts())
                    .anyMatch(
                            l ->
                                    l.matches(
                                            "text=\"load file:aliases \\("
                                                    + aliases
                                                    + "\\) -> MAPPING of 1 [0-9]+us\""))
                    .contains(
                            "text=\"update file:aliases ("
                                    + aliases
                                    + "): MAPPING of 2 -> MAPPING of 1\"")
                    .noneMatch(l -> l.contains("secretary"));
            Files.writeString(aliases, "lonely\ninfo: x\n");
            control.sendFor(1, 2, new ControlToLka.UpdateTable("aliases"));
            assertThat(control.get(ChildToControl.ControlDone.class).ok()).isFalse();
            assertThat(lines.texts().getLast()).contains("-> error: " + aliases + ":");
        }
    }
}
