package dev.decisionsidecar;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The decisions of one call by flag key, in the order of the request or of the datafile.
 *
 * @param byFlag the decisions
 * @param revision the datafile's revision that each of them was made with; empty when the sidecar gave no answer
 * @param decisionId the id of the call; empty when the sidecar gave no answer
 * @param errorReason why these are the caller's defaults, by the word of the error; empty when they were answered
 */
public record Decisions(Map<String, Decision> byFlag, String revision, String decisionId, String errorReason) {
    /**
     * Copies the map.
     *
     * @param byFlag as above
     * @param revision as above
     * @param decisionId as above
     * @param errorReason as above
     */
    public Decisions {
        byFlag = Collections.unmodifiableMap(new LinkedHashMap<>(byFlag));
    }

    /**
     * Decisions in their order; of two for one flag the last counts.
     *
     * @param decisions the decisions
     * @param revision the datafile's revision
     * @param decisionId the id of the call
     * @param errorReason why these are defaults; empty when they are not
     */
    public Decisions(List<Decision> decisions, String revision, String decisionId, String errorReason) {
        this(keyed(decisions), revision, decisionId, errorReason);
    }

    private static Map<String, Decision> keyed(List<Decision> decisions) {
        Map<String, Decision> byFlag = new LinkedHashMap<>();
        decisions.forEach(each -> byFlag.put(each.flagKey(), each));
        return byFlag;
    }

    /**
     * {@return the decision of a flag; null when it is not among them, as with {@link DecideOption#ENABLED_FLAGS_ONLY}}
     *
     * @param flagKey the flag
     */
    public Decision get(String flagKey) {
        return byFlag.get(flagKey);
    }

    /**
     * {@return whether a flag is among them, and on}
     *
     * @param flagKey the flag
     */
    public boolean isEnabled(String flagKey) {
        Decision decision = byFlag.get(flagKey);
        return decision != null && decision.enabled();
    }
}
