package dev.decisionsidecar;

import java.util.List;
import java.util.Optional;

/**
 * One node of an audience, as it was evaluated.
 *
 * @param kind {@code AND}, {@code OR}, {@code NOT}, {@code AUDIENCE} or {@code COMPARISON}
 * @param truth {@code TRUE}, {@code FALSE} or {@code UNKNOWN}
 * @param children what an operator or audience stands over
 * @param audienceId of an audience: its id
 * @param audienceName of an audience: its name; empty when the datafile has no such audience
 * @param attributeKey of a comparison: the attribute
 * @param match of a comparison: the match type, as {@code exact}
 * @param wanted of a comparison: the value that the datafile wants, if any
 * @param seen of a comparison: the value that the user has, if any
 * @param note why it is unknown; empty when it is not
 */
public record Condition(
        String kind,
        String truth,
        List<Condition> children,
        String audienceId,
        String audienceName,
        String attributeKey,
        String match,
        Optional<Compared> wanted,
        Optional<Compared> seen,
        String note) {
    /**
     * Copies the list.
     *
     * @param kind as above
     * @param truth as above
     * @param children as above
     * @param audienceId as above
     * @param audienceName as above
     * @param attributeKey as above
     * @param match as above
     * @param wanted as above
     * @param seen as above
     * @param note as above
     */
    public Condition {
        children = List.copyOf(children);
    }
}
