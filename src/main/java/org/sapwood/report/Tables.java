package org.sapwood.report;

/** What surrounds a wide table. */
final class Tables {
    private Tables() {}

    /** A box that scrolls by itself where the page is narrow, so that the page never does; the keyboard reaches it. */
    static void openScroll(Html html, String label) {
        html.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", label);
    }

    static void closeScroll(Html html) {
        html.close("div");
    }
}
