package smtpd.regress;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Imports point one way; read off the installed jars. */
class ArchitectureTest {

    private static final List<String> PROCESSES =
            List.of("smtp", "mfa", "lka", "queue", "scheduler", "mta", "mda", "control");

    private static final JavaClasses CLASSES = installed();

    private static JavaClasses installed() {
        Path lib = Path.of(System.getProperty("smtpd.tree"), "lib");
        List<JarFile> ours = new ArrayList<>();
        try (Stream<Path> jars = Files.list(lib)) {
            for (Path jar : jars.toList()) {
                if (jar.getFileName().toString().matches("smtpd-.*\\.jar")) {
                    ours.add(new JarFile(jar.toFile()));
                }
            }
            return new ClassFileImporter().importJars(ours);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void noProcessImportsAnother() {
        for (String process : PROCESSES) {
            for (String other : PROCESSES) {
                if (!process.equals(other)) {
                    ArchRuleDefinition.noClasses()
                            .that()
                            .resideInAPackage("smtpd." + process + "..")
                            .should()
                            .dependOnClassesThat()
                            .resideInAPackage("smtpd." + other + "..")
                            .check(CLASSES);
                }
            }
        }
    }

    @Test
    void theCoreKnowsNoProcess() {
        DescribedPredicate<JavaClass> ofProcess =
                DescribedPredicate.describe(
                        "of a process",
                        c ->
                                PROCESSES.stream()
                                        .anyMatch(
                                                p ->
                                                        c.getPackageName().equals("smtpd." + p)
                                                                || c.getPackageName()
                                                                        .startsWith(
                                                                                "smtpd." + p
                                                                                        + ".")));
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAnyPackage(
                        "smtpd.imsg..",
                        "smtpd.proc..",
                        "smtpd.sys..",
                        "smtpd.conf..",
                        "smtpd.envelope..",
                        "smtpd.mail..",
                        "smtpd.table..",
                        "smtpd.stat..",
                        "smtpd.log..",
                        "smtpd.parent..")
                .should()
                .dependOnClassesThat(ofProcess)
                .check(CLASSES);
    }

    @Test
    void packagesOfTheCoreFormNoCircle() {
        slices().matching("smtpd.(imsg|mail|table|stat|conf|parent)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void onlyTheSystemRoomCallsTheCLibrary() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAPackage("smtpd..")
                .and()
                .resideOutsideOfPackages("smtpd.sys..", "smtpd.mda.deliver..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .check(CLASSES);
    }
}
