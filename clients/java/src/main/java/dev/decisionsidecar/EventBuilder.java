package dev.decisionsidecar;

import com.google.protobuf.Timestamp;
import dev.decisionsidecar.internal.Encoding;
import dev.decisionsidecar.internal.EventMessage;
import dev.decisionsidecar.internal.Identity;
import dev.decisionsidecar.internal.Stamps;
import dev.decisionsidecar.internal.pb.EventProto;
import dev.decisionsidecar.internal.pb.TrackingProto.AliasRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.GroupRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.IdentifyRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportEvent;
import dev.decisionsidecar.internal.pb.TrackingProto.PageRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ScreenRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackRequest;
import java.time.Instant;
import java.util.Map;

/** Events built whole, with id and time, before their first try. */
final class EventBuilder {
    private EventBuilder() {}

    static EventMessage track(Identity user, String eventKey, TrackOptions options) {
        TrackRequest.Builder request = TrackRequest.newBuilder()
                .setUserId(user.userId())
                .setAnonymousId(user.anonymousId())
                .setEventKey(Encoding.checked("event_key", eventKey))
                .putAllAttributes(user.encodedAttributes())
                .setEventId(id(options))
                .setTimestamp(time(options))
                .setDatafile(user.datafile());
        if (options.revenue != null) {
            // Why plain: an amount like 1E+2 has no form in the contract.
            request.setRevenue(EventProto.Money.newBuilder()
                    .setAmount(options.revenue.amount().toPlainString())
                    .setCurrency(options.revenue.currency()));
        }
        Encoding.encodeAll(options.tags, "tags", request::putEventTags);
        Encoding.encodeAll(options.properties, "properties", request::putProperties);
        Encoding.encodeAll(options.context, "context", request::putContext);
        Encoding.encodeAll(options.integrations, "integrations", request::putIntegrations);
        TrackRequest whole = request.build();
        ImportEvent event = ImportEvent.newBuilder().setTrack(whole).build();
        return new EventMessage("track", whole.getEventId(), whole, event);
    }

    static EventMessage identify(Identity user, Map<String, ?> traits, EventOptions options) {
        IdentifyRequest.Builder request = IdentifyRequest.newBuilder()
                .setUserId(user.userId())
                .setAnonymousId(user.anonymousId())
                .setEventId(id(options))
                .setTimestamp(time(options))
                .setDatafile(user.datafile());
        Encoding.encodeAll(traits, "traits", request::putTraits);
        Encoding.encodeAll(options.context, "context", request::putContext);
        Encoding.encodeAll(options.integrations, "integrations", request::putIntegrations);
        IdentifyRequest whole = request.build();
        ImportEvent event = ImportEvent.newBuilder().setIdentify(whole).build();
        return new EventMessage("identify", whole.getEventId(), whole, event);
    }

    static EventMessage page(Identity user, String name, PageOptions options) {
        PageRequest.Builder request = PageRequest.newBuilder()
                .setUserId(user.userId())
                .setAnonymousId(user.anonymousId())
                .setName(Encoding.checked("name", name))
                .setCategory(Encoding.checked("category", options.category))
                .setEventId(id(options))
                .setTimestamp(time(options))
                .setDatafile(user.datafile());
        Encoding.encodeAll(options.properties, "properties", request::putProperties);
        Encoding.encodeAll(options.context, "context", request::putContext);
        Encoding.encodeAll(options.integrations, "integrations", request::putIntegrations);
        PageRequest whole = request.build();
        ImportEvent event = ImportEvent.newBuilder().setPage(whole).build();
        return new EventMessage("page", whole.getEventId(), whole, event);
    }

    static EventMessage screen(Identity user, String name, PageOptions options) {
        ScreenRequest.Builder request = ScreenRequest.newBuilder()
                .setUserId(user.userId())
                .setAnonymousId(user.anonymousId())
                .setName(Encoding.checked("name", name))
                .setCategory(Encoding.checked("category", options.category))
                .setEventId(id(options))
                .setTimestamp(time(options))
                .setDatafile(user.datafile());
        Encoding.encodeAll(options.properties, "properties", request::putProperties);
        Encoding.encodeAll(options.context, "context", request::putContext);
        Encoding.encodeAll(options.integrations, "integrations", request::putIntegrations);
        ScreenRequest whole = request.build();
        ImportEvent event = ImportEvent.newBuilder().setScreen(whole).build();
        return new EventMessage("screen", whole.getEventId(), whole, event);
    }

    static EventMessage group(Identity user, String groupId, Map<String, ?> traits, EventOptions options) {
        GroupRequest.Builder request = GroupRequest.newBuilder()
                .setUserId(user.userId())
                .setAnonymousId(user.anonymousId())
                .setGroupId(Encoding.checked("group_id", groupId))
                .setEventId(id(options))
                .setTimestamp(time(options))
                .setDatafile(user.datafile());
        Encoding.encodeAll(traits, "traits", request::putTraits);
        Encoding.encodeAll(options.context, "context", request::putContext);
        Encoding.encodeAll(options.integrations, "integrations", request::putIntegrations);
        GroupRequest whole = request.build();
        ImportEvent event = ImportEvent.newBuilder().setGroup(whole).build();
        return new EventMessage("group", whole.getEventId(), whole, event);
    }

    static EventMessage alias(Identity user, String previousId, EventOptions options) {
        AliasRequest.Builder request = AliasRequest.newBuilder()
                .setUserId(user.userId())
                .setAnonymousId(user.anonymousId())
                .setPreviousId(Encoding.checked("previous_id", previousId))
                .setEventId(id(options))
                .setTimestamp(time(options))
                .setDatafile(user.datafile());
        Encoding.encodeAll(options.context, "context", request::putContext);
        Encoding.encodeAll(options.integrations, "integrations", request::putIntegrations);
        AliasRequest whole = request.build();
        ImportEvent event = ImportEvent.newBuilder().setAlias(whole).build();
        return new EventMessage("alias", whole.getEventId(), whole, event);
    }

    private static String id(CommonOptions<?> options) {
        return options.eventId.isEmpty() ? Stamps.newId() : Encoding.checked("event_id", options.eventId);
    }

    private static Timestamp time(CommonOptions<?> options) {
        Instant time = options.timestamp == null ? Stamps.now() : options.timestamp;
        return Timestamp.newBuilder()
                .setSeconds(time.getEpochSecond())
                .setNanos(time.getNano())
                .build();
    }
}
