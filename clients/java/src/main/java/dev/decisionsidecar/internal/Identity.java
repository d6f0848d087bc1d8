package dev.decisionsidecar.internal;

import com.google.protobuf.MessageLite;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyUser;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.ForcedDecision;
import dev.decisionsidecar.internal.pb.DecisionProto.QualifiedSegments;
import dev.decisionsidecar.internal.pb.ValueProto.Value;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Who a call is about, encoded once: a handle asks many decisions with the same user and attributes. Immutable. */
public final class Identity {
    private final String anonymousId;
    private final Map<String, Object> attributes;
    private final DecideRequest request;
    /** `request` as bytes. Why: protobuf merges concatenated messages, so a call appends its few bytes. */
    private final byte[] prefix;

    private Identity(String anonymousId, Map<String, Object> attributes, DecideRequest request) {
        this.anonymousId = anonymousId;
        this.attributes = attributes;
        this.request = request;
        this.prefix = request.toByteArray();
    }

    /** A user; throws IllegalArgumentException, with the path, for what has no wire form. */
    public static Identity of(String userId, Map<String, ?> attributes, String datafile) {
        DecideRequest.Builder request = DecideRequest.newBuilder()
                .setUserId(Encoding.checked("user_id", userId))
                .setDatafile(Encoding.checked("datafile", datafile));
        return new Identity("", Map.of(), request.build()).withAttributes(attributes);
    }

    public String userId() {
        return request.getUserId();
    }

    public String anonymousId() {
        return anonymousId;
    }

    public String datafile() {
        return request.getDatafile();
    }

    public Map<String, Object> attributes() {
        return attributes;
    }

    /** The attributes as they are sent. */
    public Map<String, Value> encodedAttributes() {
        return request.getAttributesMap();
    }

    public Identity withAnonymousId(String id) {
        return new Identity(Encoding.checked("anonymous_id", id), attributes, request);
    }

    public Identity withDatafile(String name) {
        return like(request.toBuilder().setDatafile(Encoding.checked("datafile", name)));
    }

    /** These attributes added or replaced. */
    public Identity withAttributes(Map<String, ?> more) {
        DecideRequest.Builder next = request.toBuilder();
        Encoding.encodeAll(more, "attributes", next::putAttributes);
        Map<String, Object> merged = new LinkedHashMap<>(attributes);
        merged.putAll(more);
        return new Identity(anonymousId, Collections.unmodifiableMap(merged), next.build());
    }

    /** In exactly these segments; null = unset, which is not the same as in none. */
    public Identity withSegments(Iterable<String> segments) {
        DecideRequest.Builder next = request.toBuilder().clearQualifiedSegments();
        if (segments != null) {
            QualifiedSegments.Builder keys = QualifiedSegments.newBuilder();
            segments.forEach(each -> keys.addKeys(Encoding.checked("segments", each)));
            next.setQualifiedSegments(keys);
        }
        return like(next);
    }

    /** One more forced decision; one for the same flag and rule is replaced. */
    public Identity force(String flagKey, String ruleKey, String variationKey) {
        DecideRequest.Builder next = without(flagKey, ruleKey);
        next.addForcedDecisions(ForcedDecision.newBuilder()
                .setFlagKey(Encoding.checked("flag_key", flagKey))
                .setRuleKey(Encoding.checked("rule_key", ruleKey))
                .setVariationKey(Encoding.checked("variation_key", variationKey)));
        return like(next);
    }

    /** Without the forced decision for that flag and rule, if there is one. */
    public Identity unforce(String flagKey, String ruleKey) {
        return like(without(flagKey, ruleKey));
    }

    private DecideRequest.Builder without(String flagKey, String ruleKey) {
        List<ForcedDecision> kept = request.getForcedDecisionsList().stream()
                .filter(each ->
                        !(each.getFlagKey().equals(flagKey) && each.getRuleKey().equals(ruleKey)))
                .toList();
        return request.toBuilder().clearForcedDecisions().addAllForcedDecisions(kept);
    }

    private Identity like(DecideRequest.Builder next) {
        return new Identity(anonymousId, attributes, next.build());
    }

    /** A request about this user: its own fields, then the rest. */
    public byte[] ask(MessageLite rest) {
        byte[] appended = rest.toByteArray();
        byte[] whole = Arrays.copyOf(prefix, prefix.length + appended.length);
        System.arraycopy(appended, 0, whole, prefix.length, appended.length);
        return whole;
    }

    /** This user as one of many. */
    public DecideManyUser among(String decisionId) {
        DecideManyUser.Builder user = DecideManyUser.newBuilder()
                .setUserId(request.getUserId())
                .putAllAttributes(request.getAttributesMap())
                .addAllForcedDecisions(request.getForcedDecisionsList())
                .setDecisionId(decisionId);
        if (request.hasQualifiedSegments()) {
            user.setQualifiedSegments(request.getQualifiedSegments());
        }
        return user.build();
    }
}
