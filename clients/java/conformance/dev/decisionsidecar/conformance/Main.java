package dev.decisionsidecar.conformance;

import static dev.decisionsidecar.conformance.Canonical.form;

import com.google.gson.JsonParser;
import dev.decisionsidecar.AskOptions;
import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.Counters;
import dev.decisionsidecar.DatafileStatus;
import dev.decisionsidecar.DecideOption;
import dev.decisionsidecar.Decision;
import dev.decisionsidecar.Decisions;
import dev.decisionsidecar.Draft;
import dev.decisionsidecar.Flushed;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.SidecarException;
import dev.decisionsidecar.Tls;
import dev.decisionsidecar.User;
import dev.decisionsidecar.VariableException;
import dev.decisionsidecar.Variables;
import dev.decisionsidecar.Watch;
import dev.decisionsidecar.testing.FakeSidecar;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The conformance program of the Java client: steps as JSON lines in, canonical lines of what it answered out. The forms
 * are fixed by clients/conformance/README.md; the client's public surface alone is used.
 */
public final class Main {
    private static final Map<String, String> ADDRESSES =
            Map.of("tcp", "SIDECAR_TCP", "unix", "SIDECAR_UNIX", "nowhere", "SIDECAR_NOWHERE");

    private SidecarClient client = SidecarClient.connect(SidecarClient.DEFAULT_ADDRESS);
    private Watch watch;

    private Main() {}

    /**
     * Makes the JVM load its classes before the first step, whose deadline a cold one may miss. An Explain and a GetStatus
     * record nothing.
     */
    private static void warm() {
        new FakeSidecar().client().user("u", Map.of("a", 1)).decide("f");
        ClientOptions patient =
                ClientOptions.builder().statusTimeout(Duration.ofSeconds(5)).build();
        for (String address : List.of(System.getenv("SIDECAR_TCP"), System.getenv("SIDECAR_UNIX"))) {
            try (SidecarClient cold = SidecarClient.connect(address, patient)) {
                cold.user("u", Map.of("a", 1)).explain("f");
            } catch (SidecarException error) {
                continue; // A sidecar that wants TLS or a token: what was loaded is loaded.
            }
        }
    }

    /** Answers every step; a line each way, so that the runner can act in between. */
    public static void main(String[] arguments) throws IOException {
        warm();
        Main program = new Main();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            Step step = new Step(JsonParser.parseString(line).getAsJsonObject());
            output.print(Canonical.line(program.answer(step)) + "\n");
            output.flush();
        }
        program.client.close();
    }

    private Object answer(Step step) throws IOException {
        try {
            return form("id", step.text("id"), "result", result(step));
        } catch (SidecarException error) {
            return form("id", step.text("id"), "error", Canonical.error(error, step));
        }
    }

    private Object result(Step step) throws IOException {
        return switch (step.text("call")) {
            case "connect" -> connect(step);
            case "close" -> {
                client.close();
                yield "closed";
            }
            case "wait_ready" ->
                client.waitReady(step.has("timeout_ms") ? step.milliseconds("timeout_ms") : Duration.ofSeconds(10));
            case "decide" -> Canonical.decision(decided(step), step);
            case "variables" -> variables(step);
            case "decide_for_keys" ->
                Canonical.decisions(
                        user(step.part("user")).decideForKeys(step.texts("flag_keys"), defaults(step), ask(step)),
                        step);
            case "decide_all" ->
                Canonical.decisions(user(step.part("user")).decideAll(defaults(step), ask(step)), step);
            case "decide_many" -> decideMany(step);
            case "explain" ->
                Explanations.explanation(user(step.part("user")).explain(step.text("flag_key"), ask(step)));
            case "import_events" -> importEvents(step);
            case "flush" -> flush(step);
            case "status" -> status();
            case "watch_next" -> watchNext();
            case "counters" -> counters();
            default -> Canonical.accepted(StepEvents.event(user(step.part("user")), step), step);
        };
    }

    private Object connect(Step step) throws IOException {
        client.close();
        watch = null;
        Step given = step.part("with");
        ClientOptions.Builder options = ClientOptions.builder()
                .strict(given.flag("strict"))
                .token(given.text("token"))
                .datafile(given.text("datafile"))
                .bufferEventsMax(given.number("buffer_events_max", 0));
        if (given.has("decide_timeout_ms")) {
            options.decideTimeout(given.milliseconds("decide_timeout_ms"));
        }
        if (given.has("event_timeout_ms")) {
            options.eventTimeout(given.milliseconds("event_timeout_ms"));
        }
        if (given.has("tls")) {
            Tls tls = Tls.trusting(file("SIDECAR_CA"));
            options.tls(
                    given.text("tls").equals("mutual")
                            ? tls.withCertificate(file("SIDECAR_CERTIFICATE"), file("SIDECAR_KEY"))
                            : tls);
        }
        client = SidecarClient.connect(System.getenv(ADDRESSES.get(step.text("to"))), options.build());
        return "connected";
    }

    private static String file(String variable) throws IOException {
        return Files.readString(Path.of(System.getenv(variable)));
    }

    private User user(Step given) {
        User user = client.user(given.text("user_id"), given.values("attributes"));
        if (given.has("anonymous_id")) {
            user = user.withAnonymousId(given.text("anonymous_id"));
        }
        if (given.has("datafile")) {
            user = user.withDatafile(given.text("datafile"));
        }
        if (given.has("segments")) {
            user = user.withSegments(given.texts("segments"));
        }
        for (Step one : given.parts("forced_decisions")) {
            user = user.withForcedDecision(one.text("flag_key"), one.text("variation_key"), one.text("rule_key"));
        }
        return user;
    }

    private static AskOptions ask(Step step) {
        AskOptions ask = AskOptions.with().decisionId(step.text("decision_id"));
        step.texts("options").forEach(each -> ask.option(DecideOption.valueOf(each)));
        if (step.has("timeout_ms")) {
            ask.timeout(step.milliseconds("timeout_ms"));
        }
        if (step.has("strict")) {
            ask.strict(step.flag("strict"));
        }
        return ask;
    }

    private static Decision defaultOf(String flagKey, Step given) {
        Decision decision = Decision.defaultFor(flagKey)
                .withVariationKey(given.text("variation_key"))
                .withEnabled(given.flag("enabled"));
        for (Map.Entry<String, Object> each : given.values("variables").entrySet()) {
            // The integers of a step are BigInteger, of which a variable's are those of int64.
            Object value = each.getValue() instanceof java.math.BigInteger big ? big.longValueExact() : each.getValue();
            decision = decision.withVariable(each.getKey(), value);
        }
        return decision;
    }

    private static Map<String, Decision> defaults(Step step) {
        Map<String, Decision> defaults = new LinkedHashMap<>();
        Step given = step.part("defaults");
        given.json().keySet().forEach(each -> defaults.put(each, defaultOf(each, given.part(each))));
        return defaults;
    }

    private Decision decided(Step step) {
        String flagKey = step.text("flag_key");
        User user = user(step.part("user"));
        return user.decide(flagKey, defaultOf(flagKey, step.part("default")), ask(step));
    }

    private Object variables(Step step) {
        Variables variables = decided(step).variables();
        return step.parts("read").stream()
                .map(each -> {
                    try {
                        return form("value", Canonical.value(read(variables, each)));
                    } catch (VariableException error) {
                        return form("error", Canonical.variableError(error));
                    }
                })
                .toList();
    }

    private static Object read(Variables variables, Step one) {
        String key = one.text("key");
        boolean given = one.json().has("default");
        Object absent = given ? one.value("default") : null;
        return switch (one.text("type")) {
            case "string" -> given ? variables.getString(key, (String) absent) : variables.getString(key);
            case "integer" ->
                given ? variables.getInteger(key, ((Number) absent).longValue()) : variables.getInteger(key);
            case "double" -> given ? variables.getDouble(key, (Double) absent) : variables.getDouble(key);
            case "boolean" -> given ? variables.getBoolean(key, (Boolean) absent) : variables.getBoolean(key);
            default -> given ? variables.getJson(key, absent) : variables.getJson(key);
        };
    }

    private Object decideMany(Step step) {
        List<User> users = step.parts("users").stream().map(this::user).toList();
        List<String> ids = step.parts("users").stream()
                .map(each -> each.text("decision_id"))
                .toList();
        List<Decisions> answered = client.decideMany(users, step.texts("flag_keys"), defaults(step), ids, ask(step));
        List<Object> forms = new ArrayList<>();
        for (int index = 0; index < answered.size(); index++) {
            forms.add(
                    Canonical.decisions(answered.get(index), step.parts("users").get(index)));
        }
        return forms;
    }

    private Object importEvents(Step step) {
        List<Draft> drafts = step.parts("events").stream()
                .map(each -> StepEvents.event(user(each.part("user")).drafts(), each))
                .toList();
        return Canonical.imported(
                client.importEvents(drafts, step.flag("include_optimizely"), step.number("batch_events_max", 500)));
    }

    private Object flush(Step step) {
        Flushed left = client.flush(step.has("timeout_ms") ? step.milliseconds("timeout_ms") : Duration.ofSeconds(5));
        return form(
                "complete",
                left.complete(),
                "remainders",
                left.remainders().stream()
                        .map(each -> form(
                                "destination", each.destination(),
                                "events", each.events(),
                                "pause_reason", each.pauseReason()))
                        .toList());
    }

    private Object status() {
        DatafileStatus said = client.status();
        return form(
                "name", said.name(),
                "revision", said.revision(),
                "stale", said.stale(),
                "from_cache", said.fromCache(),
                "warnings",
                        said.warnings().stream()
                                .map(each -> form(
                                        "path", each.path(),
                                        "description", each.description(),
                                        "disabled_flag_key", each.disabledFlagKey()))
                                .toList());
    }

    private Object watchNext() {
        if (watch == null) {
            watch = client.watch();
        }
        return form("revision", watch.next().revision());
    }

    private Object counters() {
        Counters counted = client.counters();
        return form(
                "decisions_defaulted", counted.decisionsDefaulted(),
                "events_buffered", counted.eventsBuffered(),
                "events_dropped", counted.eventsDropped());
    }
}
