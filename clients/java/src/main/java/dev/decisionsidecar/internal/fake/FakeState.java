package dev.decisionsidecar.internal.fake;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.decisionsidecar.Decision;
import dev.decisionsidecar.internal.Encoding;
import dev.decisionsidecar.internal.pb.DatafileProto.GetStatusResponse;
import dev.decisionsidecar.internal.pb.DatafileProto.WatchResponse;
import dev.decisionsidecar.internal.pb.DecisionProto;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyResponse;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyUser;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideResponse;
import dev.decisionsidecar.internal.pb.DecisionProto.ExplainRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.ExplainResponse;
import dev.decisionsidecar.internal.pb.ReasonProto;
import dev.decisionsidecar.internal.pb.TrackingProto.FlushResponse;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportEvent;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportResponse;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackResponse;
import dev.decisionsidecar.testing.RecordedDecision;
import dev.decisionsidecar.testing.RecordedEvent;
import dev.decisionsidecar.transport.Transport;
import dev.decisionsidecar.transport.WireFailure;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the fake answers and has recorded. `this` guards all of it. */
public final class FakeState {
    private static final String REVISION = "1";

    private final Map<String, Decision> byFlag = new LinkedHashMap<>();
    private final Map<String, RecordedEvent> events = new LinkedHashMap<>();
    private final List<RecordedDecision> decided = new ArrayList<>();
    private WireFailure failure;

    public FakeState(List<Decision> decisions) {
        decisions.forEach(each -> byFlag.put(each.flagKey(), each));
    }

    public Transport transport() {
        return new FakeTransport(this);
    }

    public synchronized List<RecordedEvent> events() {
        return List.copyOf(events.values());
    }

    public synchronized List<RecordedDecision> decided() {
        return List.copyOf(decided);
    }

    public synchronized void decideAs(Decision decision) {
        byFlag.put(decision.flagKey(), decision);
    }

    public synchronized void fail(String code, String message, String reason) {
        Status.Builder status =
                Status.newBuilder().setCode(Code.valueOf(code).getNumber()).setMessage(message);
        if (!reason.isEmpty()) {
            status.addDetails(Any.pack(ErrorInfo.newBuilder()
                    .setReason(reason)
                    .setDomain("sidecar")
                    .build()));
        }
        failure = new WireFailure(code, message, status.build().toByteArray());
    }

    public synchronized void recover() {
        failure = null;
    }

    synchronized byte[] answer(String method, byte[] request) throws WireFailure {
        if (failure != null) {
            throw failure;
        }
        String name = method.substring(method.lastIndexOf('/') + 1);
        try {
            return answered(name, request).toByteArray();
        } catch (InvalidProtocolBufferException malformed) {
            throw new IllegalStateException("the client sent no message of " + method, malformed);
        }
    }

    private MessageLite answered(String name, byte[] request) throws InvalidProtocolBufferException {
        return switch (name) {
            case "Decide" -> decide(DecideRequest.parseFrom(request));
            case "DecideMany" -> decideMany(DecideManyRequest.parseFrom(request));
            case "Explain" -> explain(ExplainRequest.parseFrom(request));
            case "Import" -> accept(ImportRequest.parseFrom(request));
            case "Flush" -> FlushResponse.getDefaultInstance();
            case "GetStatus" ->
                GetStatusResponse.newBuilder()
                        .setName("default")
                        .setRevision(REVISION)
                        .setSource("fake")
                        .build();
            case "Watch" ->
                WatchResponse.newBuilder()
                        .setRevision(REVISION)
                        .setSource("fake")
                        .build();
            default -> keep(Recording.ofMethod(name, request));
        };
    }

    private DecideResponse decide(DecideRequest request) {
        Collection<String> keys = request.getFlagKeysCount() > 0 ? request.getFlagKeysList() : byFlag.keySet();
        Map<String, Object> attributes = Encoding.decodeAll(request.getAttributesMap());
        DecideResponse.Builder response =
                DecideResponse.newBuilder().setRevision(REVISION).setDecisionId(request.getDecisionId());
        for (String key : keys) {
            decided.add(new RecordedDecision(request.getUserId(), key, attributes));
            response.addDecisions(message(key));
        }
        return response.build();
    }

    private DecideManyResponse decideMany(DecideManyRequest request) throws InvalidProtocolBufferException {
        DecideManyResponse.Builder response = DecideManyResponse.newBuilder();
        for (DecideManyUser user : request.getUsersList()) {
            // The fields of a user have the numbers of a DecideRequest.
            DecideRequest one = DecideRequest.parseFrom(user.toByteArray()).toBuilder()
                    .addAllFlagKeys(request.getFlagKeysList())
                    .build();
            response.addResultsBuilder().setDecided(decide(one));
        }
        return response.build();
    }

    private ExplainResponse explain(ExplainRequest request) {
        return ExplainResponse.newBuilder()
                .setDecision(message(request.getFlagKey()))
                .setRevision(REVISION)
                .setBucketingId(request.getUserId())
                .build();
    }

    private DecisionProto.Decision message(String flagKey) {
        Decision decision = byFlag.get(flagKey);
        DecisionProto.Decision.Builder message =
                DecisionProto.Decision.newBuilder().setFlagKey(flagKey);
        if (decision == null) {
            return message.setReason(ReasonProto.DecisionReason.DECISION_REASON_FLAG_NOT_FOUND)
                    .build();
        }
        Encoding.encodeAll(decision.variables().asMap(), "variables of `" + flagKey + "`", message::putVariables);
        return message.setVariationKey(decision.variationKey())
                .setEnabled(decision.enabled())
                .setRuleKey(decision.ruleKey())
                .setRuleType(ReasonProto.RuleType.valueOf("RULE_TYPE_" + decision.ruleType()))
                .setReason(ReasonProto.DecisionReason.valueOf("DECISION_REASON_" + decision.reason()))
                .setExperimentId(decision.experimentId())
                .setVariationId(decision.variationId())
                .addAllReasons(decision.reasons())
                .build();
    }

    private ImportResponse accept(ImportRequest request) {
        int before = events.size();
        ImportResponse.Builder response = ImportResponse.newBuilder();
        for (ImportEvent each : request.getEventsList()) {
            response.addEventIds(keep(Recording.of(each)).getEventId());
        }
        return response.setRepeatedEvents(request.getEventsCount() - (events.size() - before))
                .build();
    }

    private TrackResponse keep(RecordedEvent event) {
        events.putIfAbsent(event.eventId(), event);
        return TrackResponse.newBuilder().setEventId(event.eventId()).build();
    }
}
