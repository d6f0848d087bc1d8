package dev.decisionsidecar;

import java.util.Map;

/**
 * The six events of one user: sent at once by {@link User}, made to be sent later by {@link Drafts}.
 *
 * <p>Every method throws {@link IllegalArgumentException}, with the path of the value, for what has no wire form.
 *
 * @param <R> what comes of an event
 */
public sealed interface Events<R> permits User, Drafts {
    /**
     * Something that the user did.
     *
     * @param eventKey the event's key in the datafile
     * @param options money, tags, properties and what every event takes
     * @return what came of it
     */
    R track(String eventKey, TrackOptions options);

    /**
     * Who the user is.
     *
     * @param traits what is known of the user
     * @param options what every event takes
     * @return what came of it
     */
    R identify(Map<String, ?> traits, EventOptions options);

    /**
     * A page that the user saw.
     *
     * @param name the page's name; may be empty
     * @param options category, properties and what every event takes
     * @return what came of it
     */
    R page(String name, PageOptions options);

    /**
     * A screen of an app that the user saw.
     *
     * @param name the screen's name; may be empty
     * @param options category, properties and what every event takes
     * @return what came of it
     */
    R screen(String name, PageOptions options);

    /**
     * The group, as a company or team, that the user belongs to.
     *
     * @param groupId the group
     * @param traits what is known of the group
     * @param options what every event takes
     * @return what came of it
     */
    R group(String groupId, Map<String, ?> traits, EventOptions options);

    /**
     * The user was known as another until now.
     *
     * @param previousId the id used until now
     * @param options what every event takes
     * @return what came of it
     */
    R alias(String previousId, EventOptions options);

    /**
     * Something that the user did.
     *
     * @param eventKey the event's key in the datafile
     * @return what came of it
     */
    default R track(String eventKey) {
        return track(eventKey, TrackOptions.with());
    }

    /**
     * Who the user is.
     *
     * @param traits what is known of the user
     * @return what came of it
     */
    default R identify(Map<String, ?> traits) {
        return identify(traits, EventOptions.with());
    }

    /**
     * A page that the user saw.
     *
     * @param name the page's name; may be empty
     * @return what came of it
     */
    default R page(String name) {
        return page(name, PageOptions.with());
    }

    /**
     * A screen of an app that the user saw.
     *
     * @param name the screen's name; may be empty
     * @return what came of it
     */
    default R screen(String name) {
        return screen(name, PageOptions.with());
    }

    /**
     * The group, as a company or team, that the user belongs to.
     *
     * @param groupId the group
     * @param traits what is known of the group
     * @return what came of it
     */
    default R group(String groupId, Map<String, ?> traits) {
        return group(groupId, traits, EventOptions.with());
    }

    /**
     * The user was known as another until now.
     *
     * @param previousId the id used until now
     * @return what came of it
     */
    default R alias(String previousId) {
        return alias(previousId, EventOptions.with());
    }
}
