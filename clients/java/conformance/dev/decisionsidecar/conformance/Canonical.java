package dev.decisionsidecar.conformance;

import dev.decisionsidecar.Accepted;
import dev.decisionsidecar.Decision;
import dev.decisionsidecar.Decisions;
import dev.decisionsidecar.Imported;
import dev.decisionsidecar.Outcome;
import dev.decisionsidecar.SidecarException;
import dev.decisionsidecar.VariableException;
import dev.decisionsidecar.VariableTypeMismatchException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What the client answered, in the canonical form of clients/conformance/README.md: RFC 8785 and tagged values. A form is
 * null, a Boolean, an Integer or Long, a String, a List or a Map.
 */
final class Canonical {
    private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private Canonical() {}

    /** A line of RFC 8785; its numbers are whole, which is all that the forms have. */
    static String line(Object form) {
        StringBuilder text = new StringBuilder();
        write(form, text);
        return text.toString();
    }

    private static void write(Object form, StringBuilder text) {
        if (form instanceof Map<?, ?> map) {
            char before = '{';
            // §3.2.3: by UTF-16 code units, as String compares.
            for (Map.Entry<?, ?> each : new TreeMap<>(map).entrySet()) {
                text.append(before);
                before = ',';
                quote((String) each.getKey(), text);
                text.append(':');
                write(each.getValue(), text);
            }
            text.append(before == '{' ? "{}" : "}");
        } else if (form instanceof List<?> list) {
            char before = '[';
            for (Object each : list) {
                text.append(before);
                before = ',';
                write(each, text);
            }
            text.append(before == '[' ? "[]" : "]");
        } else if (form instanceof String string) {
            quote(string, text);
        } else {
            text.append(form);
        }
    }

    private static void quote(String string, StringBuilder text) {
        text.append('"');
        for (char unit : string.toCharArray()) {
            switch (unit) {
                case '"', '\\' -> text.append('\\').append(unit);
                case '\b' -> text.append("\\b");
                case '\t' -> text.append("\\t");
                case '\n' -> text.append("\\n");
                case '\f' -> text.append("\\f");
                case '\r' -> text.append("\\r");
                default -> {
                    if (unit < 0x20) {
                        text.append(String.format("\\u%04x", (int) unit));
                    } else {
                        text.append(unit);
                    }
                }
            }
        }
        text.append('"');
    }

    /** A map that takes null. */
    static Map<String, Object> form(Object... pairs) {
        Map<String, Object> form = new TreeMap<>();
        for (int index = 0; index < pairs.length; index += 2) {
            form.put((String) pairs[index], pairs[index + 1]);
        }
        return form;
    }

    /** A VALUE of an answer. */
    static Object value(Object given) {
        if (given instanceof List<?> list) {
            return form("list", list.stream().map(Canonical::value).collect(java.util.stream.Collectors.toList()));
        }
        if (given instanceof Map<?, ?> map) {
            return form("map", values(map));
        }
        if (given instanceof Double number) {
            return form("double", String.format("%016x", Double.doubleToLongBits(number)));
        }
        return given instanceof Number number ? form("int", number.toString()) : given;
    }

    static Map<String, Object> values(Map<?, ?> given) {
        Map<String, Object> forms = new TreeMap<>();
        given.forEach((key, each) -> forms.put((String) key, value(each)));
        return forms;
    }

    /** An id: as it is when the step gave it, or when it is no UUID. */
    static String named(String id, Step step, String field) {
        boolean given = step.has(field);
        return !given && UUID.matcher(id).matches() ? "<uuid>" : id;
    }

    static Object decision(Decision answered, Step step) {
        return form(
                "flag_key", answered.flagKey(),
                "variation_key", answered.variationKey(),
                "enabled", answered.enabled(),
                "variables", values(answered.variables().asMap()),
                "rule_key", answered.ruleKey(),
                "rule_type", answered.ruleType().name(),
                "reason", answered.reason().name(),
                "experiment_id", answered.experimentId(),
                "variation_id", answered.variationId(),
                "reasons", answered.errorReason().isEmpty() ? answered.reasons() : List.of(),
                "revision", answered.revision(),
                "decision_id", named(answered.decisionId(), step, "decision_id"),
                "error_reason", answered.errorReason());
    }

    static Object decisions(Decisions answered, Step step) {
        return form(
                "decisions",
                        answered.byFlag().values().stream()
                                .map(each -> decision(each, step))
                                .toList(),
                "revision", answered.revision(),
                "decision_id", named(answered.decisionId(), step, "decision_id"),
                "error_reason", answered.errorReason());
    }

    static Object accepted(Accepted answered, Step step) {
        return form(
                "event_id", named(answered.eventId(), step, "event_id"),
                "outcomes", answered.outcomes().stream().map(Canonical::outcome).toList(),
                "exposure_seen_here", answered.exposureSeenHere(),
                "buffered", answered.buffered());
    }

    private static Map<String, Object> outcome(Outcome each) {
        return form("destination", each.destination(), "state", each.state().name(), "reason", each.reason());
    }

    static Object imported(Imported answered) {
        List<Map<String, Object>> outcomes = answered.outcomes().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Comparator.comparing(Outcome::destination)
                        .thenComparing(each -> each.state().name())
                        .thenComparing(Outcome::reason)))
                .map(each -> {
                    Map<String, Object> form = outcome(each.getKey());
                    form.put("events", each.getValue());
                    return form;
                })
                .toList();
        List<Map<String, Object>> refused = answered.refused().stream()
                .map(each -> form(
                        "first_index", each.firstIndex(),
                        "events", each.events(),
                        "error", error(each.error(), Step.EMPTY)))
                .toList();
        return form(
                "accepted",
                answered.accepted(),
                "repeated",
                answered.repeated(),
                "refused",
                refused,
                "outcomes",
                outcomes);
    }

    /** An ERROR of the sidecar, or of the client itself. */
    static Object error(SidecarException error, Step step) {
        return form(
                "kind", kind(error),
                "code", error.code(),
                "reason", error.reason(),
                "violations",
                        error.violations().stream()
                                .map(each -> form("field", each.field(), "description", each.description()))
                                .toList(),
                "retryable", error.retryable(),
                "retry_after_ms", error.retryAfter().map(Duration::toMillis).orElse(null),
                "event_id", named(error.eventId(), step, "event_id"));
    }

    static Object variableError(VariableException error) {
        Map<String, Object> form = form(
                "kind", kind(error),
                "flag_key", error.flagKey(),
                "variable_key", error.variableKey(),
                "wanted", error.wanted());
        if (error instanceof VariableTypeMismatchException mismatch) {
            form.put("got", kindOf(mismatch.got()));
        }
        return form;
    }

    private static String kind(RuntimeException error) {
        return error.getClass().getSimpleName().replace("Exception", "");
    }

    /** The kind of a value by the word of the contract. */
    private static String kindOf(Object got) {
        if (got instanceof String) {
            return "string";
        }
        if (got instanceof Boolean) {
            return "boolean";
        }
        if (got instanceof Double) {
            return "double";
        }
        return got instanceof Number ? "integer" : "json";
    }
}
