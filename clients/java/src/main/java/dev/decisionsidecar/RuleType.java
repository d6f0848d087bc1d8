package dev.decisionsidecar;

/** The kind of rule that decided. */
public enum RuleType {
    /** No rule decided, or one of a kind that this client does not know. */
    UNSPECIFIED,
    /** An experiment rule of a flag, and a forced decision. */
    FEATURE_TEST,
    /** A delivery rule, and no decision. */
    ROLLOUT,
    /** A holdout. */
    HOLDOUT,
    /** An experiment asked for by its own key. */
    EXPERIMENT
}
