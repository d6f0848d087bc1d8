package dev.decisionsidecar;

import dev.decisionsidecar.internal.Call;
import dev.decisionsidecar.internal.Encoding;
import dev.decisionsidecar.internal.Explained;
import dev.decisionsidecar.internal.Faults;
import dev.decisionsidecar.internal.Identity;
import dev.decisionsidecar.internal.Replies;
import dev.decisionsidecar.internal.Retry;
import dev.decisionsidecar.internal.Stamps;
import dev.decisionsidecar.internal.Tally;
import dev.decisionsidecar.internal.pb.DecisionProto;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyResponse;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideManyResult;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.ExplainRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Calls for decisions, built whole, and the default that stands in for an answer. */
final class DecideCalls {
    private static final String DECIDE = "/sidecar.v1.DecisionService/Decide";
    private static final String DECIDE_MANY = "/sidecar.v1.DecisionService/DecideMany";
    private static final String EXPLAIN = "/sidecar.v1.DecisionService/Explain";
    private static final int USERS_MAX = 1000;

    private DecideCalls() {}

    static Call<Decision> one(Identity user, ClientOptions settings, String flagKey, Decision absent, AskOptions ask) {
        if (!absent.flagKey().equals(flagKey)) {
            throw new IllegalArgumentException(
                    "default is a decision of flag `" + absent.flagKey() + "`, wanted flag `" + flagKey + "`");
        }
        return new Call<>(
                DECIDE,
                request(user, List.of(flagKey), ask),
                timeout(ask, settings.decideTimeout()),
                Retry.DECIDE,
                reply -> picked(flagKey, Replies.decisions(reply)),
                "",
                strict(ask, settings) ? null : absent::insteadOf);
    }

    /** A flag that is not in the answer is one that ENABLED_FLAGS_ONLY filtered. */
    private static Decision picked(String flagKey, Decisions answered) {
        return answered.byFlag().values().stream()
                .findFirst()
                .orElseGet(() -> Decision.leftOut(flagKey, answered.revision(), answered.decisionId()));
    }

    /** No flag keys = all flags; then the defaults alone stand in for an answer. */
    static Call<Decisions> several(
            Identity user,
            ClientOptions settings,
            Collection<String> flagKeys,
            Map<String, Decision> defaults,
            AskOptions ask) {
        return new Call<>(
                DECIDE,
                request(user, flagKeys, ask),
                timeout(ask, settings.decideTimeout()),
                Retry.DECIDE,
                Replies::decisions,
                "",
                strict(ask, settings) ? null : unanswered(flagKeys, defaults));
    }

    private static byte[] request(Identity user, Collection<String> flagKeys, AskOptions ask) {
        DecideRequest.Builder rest = DecideRequest.newBuilder()
                .addAllOptions(numbers(ask))
                .setDecisionId(
                        ask.decisionId.isEmpty() ? Stamps.newId() : Encoding.checked("decision_id", ask.decisionId));
        flagKeys.forEach(each -> rest.addFlagKeys(Encoding.checked("flag_keys", each)));
        return user.ask(rest.build());
    }

    private static Function<SidecarException, Decisions> unanswered(
            Collection<String> flagKeys, Map<String, Decision> defaults) {
        return error -> {
            Collection<String> keys = flagKeys.isEmpty() ? defaults.keySet() : flagKeys;
            List<Decision> listed = new ArrayList<>(keys.size());
            for (String key : keys) {
                Decision given = defaults.get(key);
                listed.add((given == null ? Decision.defaultFor(key) : given).insteadOf(error));
            }
            return new Decisions(listed, "", "", error.reason());
        };
    }

    static Call<List<Decisions>> many(
            List<Identity> users,
            List<String> decisionIds,
            ClientOptions settings,
            Tally tally,
            Collection<String> flagKeys,
            Map<String, Decision> defaults,
            AskOptions ask) {
        check(users, decisionIds);
        DecideManyRequest.Builder request = DecideManyRequest.newBuilder()
                .addAllOptions(numbers(ask))
                .setDatafile(users.get(0).datafile());
        flagKeys.forEach(each -> request.addFlagKeys(Encoding.checked("flag_keys", each)));
        for (int index = 0; index < users.size(); index++) {
            String id = decisionIds.isEmpty() ? Stamps.newId() : decisionIds.get(index);
            request.addUsers(users.get(index).among(Encoding.checked("decision_id", id)));
        }
        Function<SidecarException, Decisions> absent = unanswered(flagKeys, defaults);
        boolean strict = strict(ask, settings);
        return new Call<>(
                DECIDE_MANY,
                request.build().toByteArray(),
                timeout(ask, settings.statusTimeout()),
                Retry.EVENT,
                reply -> {
                    List<Decisions> answered = new ArrayList<>(users.size());
                    for (DecideManyResult each :
                            DecideManyResponse.parseFrom(reply).getResultsList()) {
                        answered.add(result(each, strict ? null : absent, tally));
                    }
                    return answered;
                },
                "",
                strict
                        ? null
                        : error ->
                                users.stream().map(user -> absent.apply(error)).toList());
    }

    private static void check(List<Identity> users, List<String> decisionIds) {
        if (users.size() > USERS_MAX) {
            throw new IllegalArgumentException("users are " + users.size() + ", wanted at most " + USERS_MAX);
        }
        List<String> datafiles =
                users.stream().map(Identity::datafile).distinct().sorted().toList();
        if (datafiles.size() > 1) {
            throw new IllegalArgumentException("users are of the datafiles " + datafiles + ", wanted one");
        }
        if (!decisionIds.isEmpty() && decisionIds.size() != users.size()) {
            throw new IllegalArgumentException("decisionIds are " + decisionIds.size() + " for " + users.size()
                    + " users, wanted one each or none");
        }
    }

    /** Of a user that was refused, the default, counted; without one the error, thrown. */
    private static Decisions result(
            DecideManyResult result, Function<SidecarException, Decisions> absent, Tally tally) {
        if (!result.hasError()) {
            return Replies.decisions(result.getDecided());
        }
        SidecarException error = Faults.error(Faults.of(result.getError()), DECIDE_MANY, "");
        if (absent == null) {
            throw error;
        }
        tally.defaulted();
        return absent.apply(error);
    }

    /** An Explain has no default: it is for people, and an error is what they want to see. */
    static Call<Explanation> explain(Identity user, ClientOptions settings, String flagKey, AskOptions ask) {
        // The fields of an ExplainRequest have the numbers of a DecideRequest.
        ExplainRequest rest = ExplainRequest.newBuilder()
                .setFlagKey(Encoding.checked("flag_key", flagKey))
                .addAllOptions(numbers(ask))
                .build();
        Duration timeout = timeout(ask, settings.statusTimeout());
        return new Call<>(EXPLAIN, user.ask(rest), timeout, Retry.EVENT, Explained::read);
    }

    private static List<DecisionProto.DecideOption> numbers(AskOptions ask) {
        return numbers(ask.options);
    }

    private static List<DecisionProto.DecideOption> numbers(Set<DecideOption> options) {
        return options.stream()
                .map(each -> DecisionProto.DecideOption.valueOf("DECIDE_OPTION_" + each.name()))
                .toList();
    }

    private static Duration timeout(AskOptions ask, Duration otherwise) {
        return ask.timeout == null ? otherwise : ask.timeout;
    }

    private static boolean strict(AskOptions ask, ClientOptions settings) {
        return ask.strict == null ? settings.strict() : ask.strict;
    }
}
