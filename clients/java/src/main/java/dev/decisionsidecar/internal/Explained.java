package dev.decisionsidecar.internal;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.decisionsidecar.BucketRange;
import dev.decisionsidecar.Bucketing;
import dev.decisionsidecar.Compared;
import dev.decisionsidecar.Condition;
import dev.decisionsidecar.ExplainedRule;
import dev.decisionsidecar.Explanation;
import dev.decisionsidecar.internal.pb.DecisionProto.ExplainResponse;
import dev.decisionsidecar.internal.pb.ExplainProto;
import java.util.List;
import java.util.Optional;

/** The only reader of an Explain's reply. */
public final class Explained {
    private Explained() {}

    /** The answer to an Explain. */
    public static Explanation read(byte[] reply) throws InvalidProtocolBufferException {
        ExplainResponse response = ExplainResponse.parseFrom(reply);
        return new Explanation(
                Replies.decision(response.getDecision(), response.getRevision(), ""),
                response.getRevision(),
                response.getBucketingId(),
                response.getMakesImpression(),
                rules(response.getRulesList()));
    }

    private static List<ExplainedRule> rules(List<ExplainProto.ExplainedRule> messages) {
        return messages.stream().map(Explained::rule).toList();
    }

    private static ExplainedRule rule(ExplainProto.ExplainedRule message) {
        return new ExplainedRule(
                message.getRuleKey(),
                message.getRuleId(),
                Replies.ruleType(message.getRuleType()),
                Replies.word(message.getResult(), "RULE_RESULT_"),
                Replies.reason(message.getReason()),
                message.getVariationKey(),
                message.getStatus(),
                rules(message.getLocalHoldoutsList()),
                message.hasAudience() ? Optional.of(condition(message.getAudience())) : Optional.empty(),
                message.hasGroupBucketing() ? Optional.of(bucketing(message.getGroupBucketing())) : Optional.empty(),
                message.hasBucketing() ? Optional.of(bucketing(message.getBucketing())) : Optional.empty(),
                message.getNotesList());
    }

    private static Condition condition(ExplainProto.ExplainedCondition message) {
        return new Condition(
                Replies.word(message.getKind(), "CONDITION_KIND_"),
                Replies.word(message.getTruth(), "TRUTH_"),
                message.getChildrenList().stream().map(Explained::condition).toList(),
                message.getAudienceId(),
                message.getAudienceName(),
                message.getAttributeKey(),
                message.getMatch(),
                message.hasWanted()
                        ? Optional.of(new Compared(Encoding.decode(message.getWanted())))
                        : Optional.empty(),
                message.hasSeen() ? Optional.of(new Compared(Encoding.decode(message.getSeen()))) : Optional.empty(),
                message.getNote());
    }

    private static Bucketing bucketing(ExplainProto.ExplainedBucketing message) {
        List<BucketRange> ranges = message.getRangesList().stream()
                .map(each -> new BucketRange(
                        each.getStartBucket(), each.getEndBucket(), each.getEntityId(), each.getEntityKey()))
                .toList();
        return new Bucketing(
                message.getBucketingId(),
                message.getEntityId(),
                Integer.toUnsignedLong(message.getHash()),
                message.getBucket(),
                ranges,
                message.getChosenEntityId());
    }
}
