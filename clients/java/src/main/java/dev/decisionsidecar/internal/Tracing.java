package dev.decisionsidecar.internal;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import java.util.Map;
import java.util.stream.Collectors;

/** The current span of OpenTelemetry as W3C headers, where the application has OpenTelemetry. */
final class Tracing {
    private static final boolean PRESENT = isPresent();

    private Tracing() {}

    private static boolean isPresent() {
        try {
            Class.forName("io.opentelemetry.api.trace.Span", false, Tracing.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError absent) {
            return false;
        }
    }

    /**
     * `traceparent`, and `tracestate` when it is not empty, of the current span; nothing without a valid one. Source:
     * https://www.w3.org/TR/trace-context/ version 00.
     */
    static Map<String, String> headers() {
        return PRESENT ? Current.headers() : Map.of();
    }

    /** A class of its own, so that OpenTelemetry's classes are loaded only where they are. */
    private static final class Current {
        static Map<String, String> headers() {
            SpanContext span = Span.current().getSpanContext();
            if (!span.isValid()) {
                return Map.of();
            }
            String parent = "00-" + span.getTraceId() + "-" + span.getSpanId() + "-"
                    + span.getTraceFlags().asHex();
            String state = span.getTraceState().asMap().entrySet().stream()
                    .map(each -> each.getKey() + "=" + each.getValue())
                    .collect(Collectors.joining(","));
            return state.isEmpty() ? Map.of("traceparent", parent) : Map.of("traceparent", parent, "tracestate", state);
        }
    }
}
