package dev.decisionsidecar;

/** The step that settled a decision: {@code DecisionReason} of the contract, and one word of this client. */
public enum DecisionReason {
    /** The sidecar is newer than this client and gave a reason that it does not know. */
    UNSPECIFIED,
    /** Bucketed into a variation of an experiment rule. */
    BUCKETED,
    /** A delivery rule of the flag's rollout took the user. */
    ROLLOUT,
    /** Every rule was tried and none took the user. */
    NO_RULE_MATCHED,
    /** The datafile has no such flag. */
    FLAG_NOT_FOUND,
    /** The flag could not be compiled from the datafile and is disabled alone. */
    FLAG_INVALID,
    /** A forced decision for the whole flag. */
    FLAG_FORCED,
    /** A forced decision for one rule. */
    RULE_FORCED,
    /** Held out: the variation is the holdout's. */
    HOLDOUT,
    /** A forced variation that was set at the sidecar. */
    FORCED_VARIATION,
    /** The experiment's whitelist names the user. */
    WHITELISTED,
    /** The user's sticky profile holds a variation that still exists. */
    STICKY,
    /** No rule took the user, and one was skipped because it is a contextual bandit. */
    CMAB_UNSUPPORTED,
    /** The datafile has no such experiment. */
    EXPERIMENT_NOT_FOUND,
    /** The experiment is not running. */
    EXPERIMENT_NOT_RUNNING,
    /** No answer: this is the caller's default, and {@link Decision#reasons()} says what went wrong. */
    SIDECAR_UNAVAILABLE
}
