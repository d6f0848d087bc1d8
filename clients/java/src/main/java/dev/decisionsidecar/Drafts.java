package dev.decisionsidecar;

import dev.decisionsidecar.internal.Identity;
import java.util.Map;

/** The six events of one user, to be sent later; each has its id and time now. A deadline in their options is unused. */
public final class Drafts implements Events<Draft> {
    private final Identity identity;

    Drafts(Identity identity) {
        this.identity = identity;
    }

    @Override
    public Draft track(String eventKey, TrackOptions options) {
        return new Draft(EventBuilder.track(identity, eventKey, options));
    }

    @Override
    public Draft identify(Map<String, ?> traits, EventOptions options) {
        return new Draft(EventBuilder.identify(identity, traits, options));
    }

    @Override
    public Draft page(String name, PageOptions options) {
        return new Draft(EventBuilder.page(identity, name, options));
    }

    @Override
    public Draft screen(String name, PageOptions options) {
        return new Draft(EventBuilder.screen(identity, name, options));
    }

    @Override
    public Draft group(String groupId, Map<String, ?> traits, EventOptions options) {
        return new Draft(EventBuilder.group(identity, groupId, traits, options));
    }

    @Override
    public Draft alias(String previousId, EventOptions options) {
        return new Draft(EventBuilder.alias(identity, previousId, options));
    }
}
