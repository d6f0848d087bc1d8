package dev.decisionsidecar;

/** How to decide, by the names of Optimizely's SDKs; added to the sidecar's default options. */
public enum DecideOption {
    /** Record no impression. */
    DISABLE_DECISION_EVENT,
    /** Answer flags that are enabled alone. */
    ENABLED_FLAGS_ONLY,
    /** Neither read nor save sticky profiles. */
    IGNORE_USER_PROFILE_SERVICE,
    /** Fill {@link Decision#reasons()} with the whole walk, not with problems alone. */
    INCLUDE_REASONS,
    /** Leave {@link Decision#variables()} empty. */
    EXCLUDE_VARIABLES
}
