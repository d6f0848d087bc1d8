package dev.decisionsidecar.internal.fake;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.decisionsidecar.Money;
import dev.decisionsidecar.internal.Encoding;
import dev.decisionsidecar.internal.pb.EventProto;
import dev.decisionsidecar.internal.pb.TrackingProto.AliasRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.GroupRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.IdentifyRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportEvent;
import dev.decisionsidecar.internal.pb.TrackingProto.PageRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ScreenRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackRequest;
import dev.decisionsidecar.internal.pb.ValueProto.Value;
import dev.decisionsidecar.testing.RecordedEvent;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Requests to records: fields by name, since the six messages name alike what is alike. */
final class Recording {
    private Recording() {}

    /** The event of one call, by the name of its method. */
    static RecordedEvent ofMethod(String method, byte[] request) throws InvalidProtocolBufferException {
        Message message =
                switch (method) {
                    case "Track" -> TrackRequest.parseFrom(request);
                    case "Identify" -> IdentifyRequest.parseFrom(request);
                    case "Page" -> PageRequest.parseFrom(request);
                    case "Screen" -> ScreenRequest.parseFrom(request);
                    case "Group" -> GroupRequest.parseFrom(request);
                    case "Alias" -> AliasRequest.parseFrom(request);
                    default -> throw new IllegalArgumentException("the fake has no method `" + method + "`");
                };
        return of(method.toLowerCase(Locale.ROOT), message);
    }

    /** One event of an import. */
    static RecordedEvent of(ImportEvent event) {
        FieldDescriptor field = event.getAllFields().keySet().iterator().next();
        return of(field.getName(), (Message) event.getField(field));
    }

    private static RecordedEvent of(String kind, Message request) {
        return new RecordedEvent(
                kind,
                text(request, "event_key", "name", "group_id"),
                text(request, "event_id"),
                text(request, "user_id"),
                text(request, "anonymous_id"),
                time(request),
                text(request, "previous_id"),
                text(request, "category"),
                values(request, "attributes"),
                values(request, "event_tags"),
                values(request, "properties"),
                values(request, "traits"),
                values(request, "context"),
                values(request, "integrations"),
                revenue(request));
    }

    private static String text(Message request, String... names) {
        for (String name : names) {
            FieldDescriptor field = request.getDescriptorForType().findFieldByName(name);
            if (field != null) {
                return (String) request.getField(field);
            }
        }
        return "";
    }

    private static Instant time(Message request) {
        FieldDescriptor field = request.getDescriptorForType().findFieldByName("timestamp");
        Timestamp time = (Timestamp) request.getField(field);
        return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
    }

    private static Map<String, Object> values(Message request, String name) {
        FieldDescriptor field = request.getDescriptorForType().findFieldByName(name);
        Map<String, Value> entries = new LinkedHashMap<>();
        if (field != null) {
            for (Object each : (List<?>) request.getField(field)) {
                MapEntry<?, ?> entry = (MapEntry<?, ?>) each;
                entries.put((String) entry.getKey(), (Value) entry.getValue());
            }
        }
        return Encoding.decodeAll(entries);
    }

    private static Optional<Money> revenue(Message request) {
        if (!(request instanceof TrackRequest track) || !track.hasRevenue()) {
            return Optional.empty();
        }
        EventProto.Money money = track.getRevenue();
        return Optional.of(Money.of(money.getAmount(), money.getCurrency()));
    }
}
