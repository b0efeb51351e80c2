package org.sapwood.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Pattern;

/**
 * Writes HTML from start to end. Every text and every attribute value is escaped here, so nothing that a file holds can
 * become markup; tags and attribute names are the program's own.
 */
final class Html {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z][a-zA-Z0-9-]*");

    private final StringBuilder out = new StringBuilder("<!doctype html>\n");
    private final Deque<String> open = new ArrayDeque<>();

    /**
     * Opens an element.
     *
     * @param attributes name, value, name, value, …
     */
    Html open(String tag, String... attributes) {
        start(tag, attributes);
        open.push(tag);
        return this;
    }

    /** Closes the element that was opened last, which must be a {@code tag}. */
    Html close(String tag) {
        if (!tag.equals(open.peek())) {
            throw new IllegalStateException("cannot close " + tag + " while " + open.peek() + " is open");
        }
        open.pop();
        out.append("</").append(tag).append(">");
        if (!isInline(tag)) {
            out.append('\n');
        }
        return this;
    }

    /** An element that holds text. */
    Html leaf(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close(tag);
    }

    /** An element that can hold nothing, such as an image. */
    Html empty(String tag, String... attributes) {
        start(tag, attributes);
        return this;
    }

    /** Text, escaped. */
    Html text(String text) {
        out.append(escape(text));
        return this;
    }

    /** A style sheet of the program's own. */
    Html style(String css) {
        if (css.contains("</")) {
            throw new IllegalArgumentException("a style sheet must not hold a closing tag");
        }
        out.append("<style>\n").append(css).append("</style>\n");
        return this;
    }

    /** The finished page. */
    @Override
    public String toString() {
        if (!open.isEmpty()) {
            throw new IllegalStateException("still open: " + open);
        }
        return out.toString();
    }

    private void start(String tag, String... attributes) {
        requireName(tag);
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            requireName(attributes[i]);
            out.append(' ')
                    .append(attributes[i])
                    .append("=\"")
                    .append(escape(attributes[i + 1]))
                    .append('"');
        }
        out.append('>');
    }

    private static boolean isInline(String tag) {
        return switch (tag) {
            case "a", "b", "bdi", "code", "span", "strong", "small", "abbr" -> true;
            default -> false;
        };
    }

    private static void requireName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not the name of a tag or attribute: " + name);
        }
    }

    /** Control characters that HTML forbids, and halves of surrogate pairs, become the replacement character. */
    private static String escape(String text) {
        StringBuilder safe = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                default -> {
                    boolean forbidden = (c < ' ' && c != '\n' && c != '\t')
                            || (c >= 0x7f && c < 0xa0)
                            || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
                    safe.appendCodePoint(forbidden ? 0xfffd : c);
                }
            }
        });
        return safe.toString();
    }
}
