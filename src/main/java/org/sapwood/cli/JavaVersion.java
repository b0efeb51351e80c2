package org.sapwood.cli;

/** The Java that Sapwood needs, the same range that the build enforces. */
final class JavaVersion {
    /** Releases before this one can corrupt heap arrays pinned for a native copy. */
    static final Runtime.Version OLDEST = Runtime.Version.parse("25.0.3");

    private JavaVersion() {}

    /** Whether {@code version} is a Java 25 no older than {@link #OLDEST}. */
    static boolean fits(Runtime.Version version) {
        return version.feature() == OLDEST.feature() && version.compareToIgnoreOptional(OLDEST) >= 0;
    }
}
