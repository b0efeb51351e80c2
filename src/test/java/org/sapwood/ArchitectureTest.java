package org.sapwood;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rules between packages that {@code docs/architecture.md} states, checked on the compiled classes. */
class ArchitectureTest {
    private static final String ROOT = "org.sapwood";

    /** Lowest first. A package may use the rows below its own, and its own row as long as no cycle closes. */
    private static final List<Set<String>> LAYERS = List.of(
            Set.of("tensor", "io", "parallel"),
            Set.of("autograd"),
            Set.of("nn"),
            Set.of("diffusion", "privacy", "evaluation", "data"),
            Set.of("synthesis"),
            Set.of("report"),
            Set.of("cli"));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    @Test
    void everyClassBelongsToALayer() {
        Set<String> layers = LAYERS.stream().flatMap(Set::stream).collect(Collectors.toSet());
        Set<String> strangers = CLASSES.stream()
                .filter(type -> !type.getPackageName().equals(ROOT))
                .filter(type -> !layers.contains(layerOf(type)))
                .map(JavaClass::getName)
                .collect(Collectors.toSet());
        assertEquals(Set.of(), strangers, "classes outside the layers");
        assertTrue(CLASSES.contain("org.sapwood.tensor.Tensor"), "the classes to check are not on the class path");
    }

    @TestFactory
    Stream<DynamicTest> noLayerUsesAHigherOne() {
        return IntStream.range(0, LAYERS.size() - 1).boxed().flatMap(row -> {
            List<String> higher = LAYERS.subList(row + 1, LAYERS.size()).stream()
                    .flatMap(Set::stream)
                    .toList();
            return LAYERS.get(row).stream()
                    .sorted()
                    .map(layer -> DynamicTest.dynamicTest(layer, () -> forbid(layer, higher)));
        });
    }

    @Test
    void noCycleBetweenPackages() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void ioUsesTensorAndNothingElseOfOurs() {
        forbid(
                "io",
                LAYERS.stream()
                        .flatMap(Set::stream)
                        .filter(layer -> !Set.of("io", "tensor").contains(layer))
                        .toList());
    }

    /** Work is divided above them: whole micro-batches and stretches of weights ({@code docs/adr/0006}). */
    @TestFactory
    Stream<DynamicTest> operationsAreNotParallel() {
        return Stream.of("tensor", "autograd", "nn")
                .map(layer -> DynamicTest.dynamicTest(layer, () -> forbid(layer, List.of("parallel"))));
    }

    /** The mechanism takes vectors, not images; the readers know nothing of budgets. */
    @Test
    void privacyAndDataDoNotMeet() {
        forbid("privacy", List.of("data"));
        forbid("data", List.of("privacy"));
    }

    @Test
    void onlyTheSimdBackendImportsTheVectorApi() {
        noClasses()
                .that()
                .resideOutsideOfPackage(tree("tensor.simd"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator..")
                .check(CLASSES);
    }

    @Test
    void onlyTheCudaBackendImportsJcuda() {
        noClasses()
                .that()
                .resideOutsideOfPackage(tree("tensor.cuda"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda..")
                .check(CLASSES);
    }

    /** A JVM without the Vector API or JCuda must be able to load every other class. */
    @TestFactory
    Stream<DynamicTest> optionalBackendsAreLoadedReflectively() {
        return Stream.of("tensor.simd", "tensor.cuda")
                .map(backend -> DynamicTest.dynamicTest(
                        backend,
                        () -> noClasses()
                                .that()
                                .resideOutsideOfPackage(tree(backend))
                                .should()
                                .dependOnClassesThat()
                                .resideInAPackage(tree(backend))
                                .check(CLASSES)));
    }

    private static void forbid(String user, List<String> used) {
        noClasses()
                .that()
                .resideInAPackage(tree(user))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(used.stream().map(ArchitectureTest::tree).toArray(String[]::new))
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    /** The first part of the package name after the root: {@code tensor} for {@code org.sapwood.tensor.simd}. */
    private static String layerOf(JavaClass type) {
        return type.getPackageName().substring(ROOT.length() + 1).split("\\.", 2)[0];
    }

    private static String tree(String subpackage) {
        return ROOT + "." + subpackage + "..";
    }
}
