package dev.decisionsidecar;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one flag is for one user. An empty text means none.
 *
 * @param flagKey the flag, as asked for
 * @param variationKey the variation that the user gets
 * @param enabled whether the flag is on for the user
 * @param variables the flag's variables
 * @param ruleKey the rule that decided
 * @param ruleType the kind of that rule
 * @param reason the step that settled it; for programs
 * @param experimentId the id of the experiment, delivery rule or holdout
 * @param variationId the id of the variation
 * @param reasons how it came about, in English for people
 * @param revision the datafile's revision; empty in a default that the caller made
 * @param decisionId the id of the call that it came with; empty in a default
 * @param errorReason why this is the caller's default, by the word of the error, as {@code UNAVAILABLE}; empty when it
 *     was answered
 */
public record Decision(
        String flagKey,
        String variationKey,
        boolean enabled,
        Variables variables,
        String ruleKey,
        RuleType ruleType,
        DecisionReason reason,
        String experimentId,
        String variationId,
        List<String> reasons,
        String revision,
        String decisionId,
        String errorReason) {
    /**
     * Copies the list.
     *
     * @param flagKey as above
     * @param variationKey as above
     * @param enabled as above
     * @param variables as above
     * @param ruleKey as above
     * @param ruleType as above
     * @param reason as above
     * @param experimentId as above
     * @param variationId as above
     * @param reasons as above
     * @param revision as above
     * @param decisionId as above
     * @param errorReason as above
     */
    public Decision {
        reasons = List.copyOf(reasons);
    }

    /**
     * {@return what a caller wants when there is no answer: a flag that is off, to be refined}
     *
     * <p>{@code Decision.defaultFor("checkout_redesign").withVariationKey("control").withVariable("steps", 4)}
     *
     * @param flagKey the flag
     */
    public static Decision defaultFor(String flagKey) {
        return new Decision(
                flagKey,
                "",
                false,
                new Variables(flagKey, Map.of()),
                "",
                RuleType.UNSPECIFIED,
                DecisionReason.UNSPECIFIED,
                "",
                "",
                List.of(),
                "",
                "",
                "");
    }

    /**
     * {@return the same decision of another variation}
     *
     * @param variation its key
     */
    public Decision withVariationKey(String variation) {
        return like(variation, enabled, variables, reason, reasons, revision, decisionId, errorReason);
    }

    /**
     * {@return the same decision, on or off}
     *
     * @param on whether the flag is on
     */
    public Decision withEnabled(boolean on) {
        return like(variationKey, on, variables, reason, reasons, revision, decisionId, errorReason);
    }

    /**
     * {@return the same decision with one variable added or replaced}
     *
     * @param key the variable's key
     * @param value its value: null, a boolean, a whole number, a double, a text, a list or a map
     */
    public Decision withVariable(String key, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(variables.asMap());
        more.put(key, value);
        return like(
                variationKey,
                enabled,
                new Variables(flagKey, more),
                reason,
                reasons,
                revision,
                decisionId,
                errorReason);
    }

    Decision insteadOf(SidecarException error) {
        return like(
                variationKey,
                enabled,
                variables,
                DecisionReason.SIDECAR_UNAVAILABLE,
                List.of(String.valueOf(error.getMessage())),
                revision,
                decisionId,
                error.reason());
    }

    static Decision leftOut(String flagKey, String revision, String decisionId) {
        List<String> why = List.of("left out: ENABLED_FLAGS_ONLY answers flags that are enabled alone");
        Decision off = defaultFor(flagKey);
        return off.like("", false, off.variables, DecisionReason.UNSPECIFIED, why, revision, decisionId, "");
    }

    private Decision like(
            String variation,
            boolean on,
            Variables values,
            DecisionReason step,
            List<String> words,
            String atRevision,
            String id,
            String error) {
        return new Decision(
                flagKey,
                variation,
                on,
                values,
                ruleKey,
                ruleType,
                step,
                experimentId,
                variationId,
                words,
                atRevision,
                id,
                error);
    }
}
