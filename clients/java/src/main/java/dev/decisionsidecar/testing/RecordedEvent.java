package dev.decisionsidecar.testing;

import dev.decisionsidecar.Money;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * An event that the code under test sent.
 *
 * @param kind {@code track}, {@code identify}, {@code page}, {@code screen}, {@code group} or {@code alias}
 * @param name the event key, page, screen or group id; empty for the others
 * @param eventId its id
 * @param userId the user
 * @param anonymousId the id of a user that is not known
 * @param timestamp when it happened
 * @param previousId of an alias: the id used until then
 * @param category of a page or screen
 * @param attributes of a track: the user's attributes
 * @param tags of a track
 * @param properties of a track, page or screen
 * @param traits of an identify or group
 * @param context where and how it happened
 * @param integrations which destinations want it
 * @param revenue of a track: what it earned
 */
public record RecordedEvent(
        String kind,
        String name,
        String eventId,
        String userId,
        String anonymousId,
        Instant timestamp,
        String previousId,
        String category,
        Map<String, Object> attributes,
        Map<String, Object> tags,
        Map<String, Object> properties,
        Map<String, Object> traits,
        Map<String, Object> context,
        Map<String, Object> integrations,
        Optional<Money> revenue) {}
