/**
 * The current span of OpenTelemetry, as W3C headers. No dependency: `@opentelemetry/api` puts what the application has
 * registered under a global symbol of its major version, and only that is asked.
 */

/** What is used of OpenTelemetry's SpanContext. */
interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly traceState?: { serialize(): string };
}

/** What is used of the registered API. */
interface Registered {
  readonly context?: { active(): { getValue(key: symbol): unknown } };
}

const API = Symbol.for("opentelemetry.js.api.1");
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const NONE: readonly (readonly [string, string])[] = [];

/**
 * `traceparent`, and `tracestate` when it is not empty, of the current span; nothing without a valid one.
 *
 * Source: W3C Trace Context, version 00.
 */
export function traceHeaders(): readonly (readonly [string, string])[] {
  const registered = (globalThis as Record<symbol, unknown>)[API] as Registered | undefined;
  const span = registered?.context?.active().getValue(SPAN) as { spanContext(): SpanContext } | undefined;
  if (span === undefined) return NONE;
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId)) return NONE;
  const parent = ["traceparent", `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`] as const;
  const state = traceState?.serialize() ?? "";
  return state === "" ? [parent] : [parent, ["tracestate", state]];
}
