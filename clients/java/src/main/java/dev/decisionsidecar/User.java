package dev.decisionsidecar;

import dev.decisionsidecar.internal.Call;
import dev.decisionsidecar.internal.EventMessage;
import dev.decisionsidecar.internal.Identity;
import dev.decisionsidecar.internal.Replies;
import dev.decisionsidecar.internal.Retry;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * One user with its attributes, made by {@link SidecarClient#user(String)}. Immutable, cheap, safe for threads: what
 * changes it returns another handle.
 *
 * <p>Decisions do not throw, unless strict; events throw {@link SidecarException} when they were not accepted.
 */
public final class User implements Events<Accepted> {
    private final SidecarClient client;
    private final Identity identity;

    User(SidecarClient client, Identity identity) {
        this.client = client;
        this.identity = identity;
    }

    Identity identity() {
        return identity;
    }

    /** {@return the user's id; empty when only an anonymous id is known} */
    public String userId() {
        return identity.userId();
    }

    /** {@return the user's attributes} */
    public Map<String, Object> attributes() {
        return identity.attributes();
    }

    /**
     * {@return the same user with these attributes added or replaced}
     *
     * @param attributes null, booleans, whole numbers within int64, doubles, texts, lists and maps
     */
    public User withAttributes(Map<String, ?> attributes) {
        return new User(client, identity.withAttributes(attributes));
    }

    /**
     * {@return the same user with an id for when it is not known}
     *
     * @param anonymousId the id; empty = none
     */
    public User withAnonymousId(String anonymousId) {
        return new User(client, identity.withAnonymousId(anonymousId));
    }

    /**
     * {@return the same user in another datafile}
     *
     * @param datafile its name, else its SDK key; empty = the sidecar's default
     */
    public User withDatafile(String datafile) {
        return new User(client, identity.withDatafile(datafile));
    }

    /**
     * {@return the same user in exactly these segments, for {@code qualified} conditions}
     *
     * @param segments segment keys; null = unset, which differs from in none
     */
    public User withSegments(Collection<String> segments) {
        return new User(client, identity.withSegments(segments));
    }

    /**
     * {@return the same user with a variation imposed on a whole flag}
     *
     * @param flagKey the flag
     * @param variationKey the variation
     */
    public User withForcedDecision(String flagKey, String variationKey) {
        return withForcedDecision(flagKey, variationKey, "");
    }

    /**
     * {@return the same user with a variation imposed on one rule}
     *
     * @param flagKey the flag
     * @param variationKey the variation
     * @param ruleKey the rule; empty = the whole flag
     */
    public User withForcedDecision(String flagKey, String variationKey, String ruleKey) {
        return new User(client, identity.force(flagKey, ruleKey, variationKey));
    }

    /**
     * {@return the same user without that forced decision; none is no error}
     *
     * @param flagKey the flag
     * @param ruleKey the rule; empty = the whole flag
     */
    public User withoutForcedDecision(String flagKey, String ruleKey) {
        return new User(client, identity.unforce(flagKey, ruleKey));
    }

    /**
     * {@return the decision of one flag; without an answer a flag that is off, with SIDECAR_UNAVAILABLE}
     *
     * @param flagKey the flag
     */
    public Decision decide(String flagKey) {
        return decide(flagKey, Decision.defaultFor(flagKey), AskOptions.with());
    }

    /**
     * {@return the decision of one flag; without an answer the default, with SIDECAR_UNAVAILABLE}
     *
     * @param flagKey the flag
     * @param absent the default, a decision of the same flag
     */
    public Decision decide(String flagKey, Decision absent) {
        return decide(flagKey, absent, AskOptions.with());
    }

    /**
     * {@return the decision of one flag; without an answer the default, with SIDECAR_UNAVAILABLE}
     *
     * @param flagKey the flag
     * @param absent the default, a decision of the same flag
     * @param ask what the call takes besides
     */
    public Decision decide(String flagKey, Decision absent, AskOptions ask) {
        return client.perform(DecideCalls.one(identity, client.options(), flagKey, absent, ask));
    }

    /**
     * {@return the decisions of these flags at one revision, in this order}
     *
     * @param flagKeys the flags; none asked for is none answered
     */
    public Decisions decideForKeys(Collection<String> flagKeys) {
        return decideForKeys(flagKeys, Map.of(), AskOptions.with());
    }

    /**
     * {@return the decisions of these flags at one revision, in this order}
     *
     * @param flagKeys the flags; none asked for is none answered
     * @param defaults what stands for an answer, by flag; a flag without one is off
     * @param ask what the call takes besides
     */
    public Decisions decideForKeys(Collection<String> flagKeys, Map<String, Decision> defaults, AskOptions ask) {
        if (flagKeys.isEmpty()) {
            return new Decisions(List.of(), "", "", "");
        }
        return client.perform(DecideCalls.several(identity, client.options(), flagKeys, defaults, ask));
    }

    /** {@return the decisions of all flags of the datafile at one revision; without an answer none} */
    public Decisions decideAll() {
        return decideAll(Map.of(), AskOptions.with());
    }

    /**
     * {@return the decisions of all flags of the datafile at one revision; without an answer the defaults alone}
     *
     * @param defaults what stands for an answer, by flag
     * @param ask what the call takes besides
     */
    public Decisions decideAll(Map<String, Decision> defaults, AskOptions ask) {
        return client.perform(DecideCalls.several(identity, client.options(), List.of(), defaults, ask));
    }

    /**
     * {@return why the user gets what it gets, rule by rule; records nothing} Throws {@link SidecarException}.
     *
     * @param flagKey the flag
     */
    public Explanation explain(String flagKey) {
        return explain(flagKey, AskOptions.with());
    }

    /**
     * {@return why the user gets what it gets, rule by rule; records nothing} Throws {@link SidecarException}.
     *
     * @param flagKey the flag
     * @param ask options and deadline
     */
    public Explanation explain(String flagKey, AskOptions ask) {
        return client.perform(DecideCalls.explain(identity, client.options(), flagKey, ask));
    }

    /** {@return the events of this user to be sent later, by {@link SidecarClient#importEvents}} */
    public Drafts drafts() {
        return new Drafts(identity);
    }

    @Override
    public Accepted track(String eventKey, TrackOptions options) {
        return record(EventBuilder.track(identity, eventKey, options), Replies::tracked, options);
    }

    @Override
    public Accepted identify(Map<String, ?> traits, EventOptions options) {
        return record(EventBuilder.identify(identity, traits, options), Replies::accepted, options);
    }

    @Override
    public Accepted page(String name, PageOptions options) {
        return record(EventBuilder.page(identity, name, options), Replies::accepted, options);
    }

    @Override
    public Accepted screen(String name, PageOptions options) {
        return record(EventBuilder.screen(identity, name, options), Replies::accepted, options);
    }

    @Override
    public Accepted group(String groupId, Map<String, ?> traits, EventOptions options) {
        return record(EventBuilder.group(identity, groupId, traits, options), Replies::accepted, options);
    }

    @Override
    public Accepted alias(String previousId, EventOptions options) {
        return record(EventBuilder.alias(identity, previousId, options), Replies::accepted, options);
    }

    private Accepted record(EventMessage event, Call.Reader<Accepted> reader, CommonOptions<?> options) {
        String method =
                Character.toUpperCase(event.kind().charAt(0)) + event.kind().substring(1);
        Duration timeout = options.timeout == null ? client.options().eventTimeout() : options.timeout;
        return client.record(new Call<>(
                "/sidecar.v1.TrackingService/" + method,
                event.request().toByteArray(),
                timeout,
                Retry.EVENT,
                reader,
                event.eventId(),
                null));
    }

    @Override
    public String toString() {
        return "User[" + identity.userId() + ", " + identity.attributes() + "]";
    }
}
