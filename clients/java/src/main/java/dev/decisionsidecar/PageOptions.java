package dev.decisionsidecar;

import java.util.Map;

/** What {@code page} and {@code screen} take besides. */
public final class PageOptions extends CommonOptions<PageOptions> {
    String category = "";
    Map<String, ?> properties = Map.of();

    private PageOptions() {}

    /** {@return options that say nothing yet} */
    public static PageOptions with() {
        return new PageOptions();
    }

    @Override
    PageOptions self() {
        return this;
    }

    /**
     * {@return these, with a category}
     *
     * @param value the category that it belongs to
     */
    public PageOptions category(String value) {
        category = value;
        return this;
    }

    /**
     * {@return these, with what else is known of it}
     *
     * @param values as {@code url}, {@code title}
     */
    public PageOptions properties(Map<String, ?> values) {
        properties = values;
        return this;
    }
}
