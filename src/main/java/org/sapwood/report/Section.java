package org.sapwood.report;

/** One part of the page, under a heading of its own. */
interface Section {
    /** Its anchor. */
    String id();

    /** Its heading. */
    String title();

    /** Whether the run has anything to show here; a section without content is left out. */
    boolean hasContent();

    /** Writes what stands below the heading. */
    void append(Html html);
}
