//! The W3C trace context of the span that is current at `OpenTelemetry`'s API, as headers of an attempt.
//!
//! Why not the global propagator: it is nobody's until an application sets one, and the sidecar reads W3C alone.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tonic::metadata::{MetadataMap, MetadataValue};

pub(crate) fn put(headers: &mut MetadataMap) {
    let context = Context::current();
    let span = context.span().span_context().clone();
    if !span.is_valid() {
        return;
    }
    let flags = span.trace_flags().to_u8();
    let parent = format!("00-{:032x}-{:016x}-{flags:02x}", span.trace_id(), span.span_id());
    if let Ok(value) = MetadataValue::try_from(parent) {
        headers.insert("traceparent", value);
    }
    let state = span.trace_state().header();
    if let Ok(value) = MetadataValue::try_from(&state)
        && !state.is_empty()
    {
        headers.insert("tracestate", value);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    #[test]
    fn the_current_span_is_sent_as_traceparent_and_tracestate() {
        let state = TraceState::from_key_value([("vendor", "7")]).unwrap();
        let span = SpanContext::new(TraceId::from(0xab), SpanId::from(0xcd), TraceFlags::SAMPLED, true, state);
        let _current = Context::new().with_remote_span_context(span).attach();
        let mut headers = MetadataMap::new();
        put(&mut headers);
        let wanted = "00-000000000000000000000000000000ab-00000000000000cd-01";
        assert_eq!(headers.get("traceparent").unwrap(), wanted);
        assert_eq!(headers.get("tracestate").unwrap(), "vendor=7");
    }

    #[test]
    fn without_a_span_no_header_is_sent() {
        let mut headers = MetadataMap::new();
        put(&mut headers);
        assert!(headers.is_empty());
    }
}
