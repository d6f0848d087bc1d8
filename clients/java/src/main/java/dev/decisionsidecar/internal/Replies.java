package dev.decisionsidecar.internal;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.ProtocolMessageEnum;
import com.google.protobuf.Timestamp;
import dev.decisionsidecar.Accepted;
import dev.decisionsidecar.DatafileChange;
import dev.decisionsidecar.DatafileStatus;
import dev.decisionsidecar.DatafileWarning;
import dev.decisionsidecar.Decision;
import dev.decisionsidecar.DecisionReason;
import dev.decisionsidecar.Decisions;
import dev.decisionsidecar.Flushed;
import dev.decisionsidecar.Outcome;
import dev.decisionsidecar.OutcomeState;
import dev.decisionsidecar.Remainder;
import dev.decisionsidecar.RuleType;
import dev.decisionsidecar.Variables;
import dev.decisionsidecar.internal.pb.DatafileProto.GetStatusResponse;
import dev.decisionsidecar.internal.pb.DatafileProto.WatchResponse;
import dev.decisionsidecar.internal.pb.DecisionProto;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideResponse;
import dev.decisionsidecar.internal.pb.EventProto;
import dev.decisionsidecar.internal.pb.ReasonProto;
import dev.decisionsidecar.internal.pb.TrackingProto.FlushResponse;
import dev.decisionsidecar.internal.pb.TrackingProto.IdentifyResponse;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackResponse;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Replies to values. An enum's number that this client does not know is UNSPECIFIED, never an error. */
public final class Replies {
    private static final Map<ReasonProto.DecisionReason, DecisionReason> REASONS =
            named(ReasonProto.DecisionReason.values(), "DECISION_REASON_", DecisionReason.values());
    private static final Map<ReasonProto.RuleType, RuleType> RULE_TYPES =
            named(ReasonProto.RuleType.values(), "RULE_TYPE_", RuleType.values());

    private Replies() {}

    /** The words of the contract's enum by the constants of ours that have the same name without the prefix. */
    private static <P extends ProtocolMessageEnum, E extends Enum<E>> Map<P, E> named(
            P[] theirs, String prefix, E[] ours) {
        Map<String, E> byName = Arrays.stream(ours).collect(Collectors.toMap(Enum::name, Function.identity()));
        return Arrays.stream(theirs)
                .filter(each -> byName.containsKey(word(each, prefix)))
                .collect(Collectors.toUnmodifiableMap(Function.identity(), each -> byName.get(word(each, prefix))));
    }

    /** The word of an enum's value without its prefix; one of a newer sidecar is UNSPECIFIED. */
    static String word(ProtocolMessageEnum value, String prefix) {
        String name = value.toString();
        return name.equals("UNRECOGNIZED") ? "UNSPECIFIED" : name.substring(Math.min(prefix.length(), name.length()));
    }

    static DecisionReason reason(ReasonProto.DecisionReason message) {
        return REASONS.getOrDefault(message, DecisionReason.UNSPECIFIED);
    }

    static RuleType ruleType(ReasonProto.RuleType message) {
        return RULE_TYPES.getOrDefault(message, RuleType.UNSPECIFIED);
    }

    /** The answer to a Decide. */
    public static Decisions decisions(byte[] reply) throws InvalidProtocolBufferException {
        return decisions(DecideResponse.parseFrom(reply));
    }

    /** The decisions of one user. */
    public static Decisions decisions(DecideResponse response) {
        List<Decision> listed = response.getDecisionsList().stream()
                .map(each -> decision(each, response.getRevision(), response.getDecisionId()))
                .toList();
        return new Decisions(listed, response.getRevision(), response.getDecisionId(), "");
    }

    static Decision decision(DecisionProto.Decision message, String revision, String decisionId) {
        return new Decision(
                message.getFlagKey(),
                message.getVariationKey(),
                message.getEnabled(),
                new Variables(message.getFlagKey(), Encoding.decodeAll(message.getVariablesMap())),
                message.getRuleKey(),
                ruleType(message.getRuleType()),
                reason(message.getReason()),
                message.getExperimentId(),
                message.getVariationId(),
                message.getReasonsList(),
                revision,
                decisionId,
                "");
    }

    /** The answer to a Track. */
    public static Accepted tracked(byte[] reply) throws InvalidProtocolBufferException {
        TrackResponse response = TrackResponse.parseFrom(reply);
        List<Outcome> outcomes = outcomes(response.getOutcomesList());
        return new Accepted(response.getEventId(), outcomes, response.getExposureSeenHere(), false);
    }

    /** The answer to Identify, Page, Screen, Group and Alias: their messages have the same fields. */
    public static Accepted accepted(byte[] reply) throws InvalidProtocolBufferException {
        IdentifyResponse response = IdentifyResponse.parseFrom(reply);
        return new Accepted(response.getEventId(), outcomes(response.getOutcomesList()), false, false);
    }

    private static List<Outcome> outcomes(List<EventProto.Outcome> messages) {
        return messages.stream().map(Replies::outcome).toList();
    }

    static Outcome outcome(EventProto.Outcome message) {
        OutcomeState state =
                switch (message.getState()) {
                    case OUTCOME_STATE_QUEUED -> OutcomeState.QUEUED;
                    case OUTCOME_STATE_SKIPPED -> OutcomeState.SKIPPED;
                    default -> OutcomeState.UNSPECIFIED;
                };
        return new Outcome(message.getDestination(), state, message.getReason());
    }

    /** The answer to a Flush. */
    public static Flushed flushed(byte[] reply) throws InvalidProtocolBufferException {
        List<Remainder> remainders = FlushResponse.parseFrom(reply).getRemaindersList().stream()
                .map(each -> new Remainder(each.getDestination(), each.getEvents(), each.getPauseReason()))
                .toList();
        return new Flushed(remainders, 0);
    }

    /** The answer to a GetStatus. */
    public static DatafileStatus status(byte[] reply) throws InvalidProtocolBufferException {
        GetStatusResponse response = GetStatusResponse.parseFrom(reply);
        List<DatafileWarning> warnings = response.getWarningsList().stream()
                .map(each -> new DatafileWarning(each.getPath(), each.getDescription(), each.getDisabledFlagKey()))
                .toList();
        return new DatafileStatus(
                response.getName(),
                response.getRevision(),
                response.getSource(),
                response.hasLoadedTime() ? time(response.getLoadedTime()) : Optional.empty(),
                response.hasCheckedTime() ? time(response.getCheckedTime()) : Optional.empty(),
                response.getStale(),
                response.getFromCache(),
                response.hasLastError() ? response.getLastError().getMessage() : "",
                warnings);
    }

    /** One message of a Watch. */
    public static DatafileChange change(byte[] reply) throws InvalidProtocolBufferException {
        WatchResponse response = WatchResponse.parseFrom(reply);
        return new DatafileChange(
                response.getRevision(),
                response.hasLoadedTime() ? time(response.getLoadedTime()) : Optional.empty(),
                response.getSource(),
                response.getWarnings(),
                response.getLost());
    }

    private static Optional<Instant> time(Timestamp message) {
        return Optional.of(Instant.ofEpochSecond(message.getSeconds(), message.getNanos()));
    }
}
