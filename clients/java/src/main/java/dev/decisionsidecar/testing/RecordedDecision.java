package dev.decisionsidecar.testing;

import java.util.Map;

/**
 * A decision that the code under test asked for, one for each flag answered.
 *
 * @param userId the user
 * @param flagKey the flag
 * @param attributes the user's attributes
 */
public record RecordedDecision(String userId, String flagKey, Map<String, Object> attributes) {}
