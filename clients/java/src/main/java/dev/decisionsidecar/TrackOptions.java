package dev.decisionsidecar;

import java.math.BigDecimal;
import java.util.Map;

/** What {@code track} takes besides. */
public final class TrackOptions extends CommonOptions<TrackOptions> {
    Map<String, ?> tags = Map.of();
    Map<String, ?> properties = Map.of();
    Money revenue;

    private TrackOptions() {}

    /** {@return options that say nothing yet} */
    public static TrackOptions with() {
        return new TrackOptions();
    }

    @Override
    TrackOptions self() {
        return this;
    }

    /**
     * {@return these, with tags in Optimizely's meaning}
     *
     * @param values {@code revenue} in whole cents, {@code value} a number, else scalars
     */
    public TrackOptions tags(Map<String, ?> values) {
        tags = values;
        return this;
    }

    /**
     * {@return these, with properties in Segment's meaning}
     *
     * @param values as {@code order_id}, {@code products}
     */
    public TrackOptions properties(Map<String, ?> values) {
        properties = values;
        return this;
    }

    /**
     * {@return these, with what it earned, exactly; above tags and properties}
     *
     * @param amount in major units
     * @param currency an ISO 4217 code
     */
    public TrackOptions revenue(BigDecimal amount, String currency) {
        return revenue(new Money(amount, currency));
    }

    /**
     * {@return these, with what it earned, exactly; above tags and properties}
     *
     * @param money amount and currency
     */
    public TrackOptions revenue(Money money) {
        revenue = money;
        return this;
    }
}
