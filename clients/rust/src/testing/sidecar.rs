//! The sidecar in memory: messages in, messages out, as the real one would.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use prost::{DecodeError, Message};
use prost_types::Any;
use tonic::{Code, Status};

use super::recorded::{RecordedDecision, RecordedEvent, recorded};
use crate::decisions::{Decision, Reason};
use crate::encoding::{all_decoded, all_encoded};
use crate::pb;
use crate::pb::import_event::Event;
use crate::pb::{datafile_service, decision_service, rpc, tracking_service};
use crate::transport::{BoxFuture, Replies, Transport};

/// The revision of the fake's datafile, which never changes.
const REVISION: &str = "1";

#[derive(Debug, Default)]
pub(super) struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order they were made, as a datafile has them.
    decisions: Vec<Decision>,
    events: Vec<RecordedEvent>,
    decided: Vec<RecordedDecision>,
    failure: Option<Status>,
}

impl Memory {
    pub(super) fn decide_as(&self, decision: Decision) {
        let mut state = self.lock();
        match state.decisions.iter_mut().find(|each| each.flag_key == decision.flag_key) {
            Some(known) => *known = decision,
            None => state.decisions.push(decision),
        }
    }

    pub(super) fn fail_with(&self, failure: Option<Status>) {
        self.lock().failure = failure;
    }

    pub(super) fn events(&self) -> Vec<RecordedEvent> {
        self.lock().events.clone()
    }

    pub(super) fn decided(&self) -> Vec<RecordedDecision> {
        self.lock().decided.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Memory {
    fn unary(&self, method: &'static str, request: Bytes, _timeout: Duration) -> BoxFuture<'_, Result<Bytes, Status>> {
        let mut state = self.lock();
        let answer = match &state.failure {
            Some(failure) => Err(failure.clone()),
            None => state.answer(method, request).map_err(|error| Status::invalid_argument(error.to_string())),
        };
        Box::pin(async { answer.map(Bytes::from) })
    }

    fn stream(&self, _method: &'static str, _request: Bytes) -> BoxFuture<'_, Result<Replies, Status>> {
        let failure = self.lock().failure.clone();
        let change =
            pb::WatchResponse { revision: REVISION.to_owned(), source: "fake".to_owned(), ..Default::default() };
        let only = Only(Some(Bytes::from(change.encode_to_vec())));
        Box::pin(async { failure.map_or(Ok(Box::pin(only) as Replies), Err) })
    }

    fn close(&self) {}
}

/// One reply, and then none for ever.
struct Only(Option<Bytes>);

impl futures_core::Stream for Only {
    type Item = Result<Bytes, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.0.take().map_or(Poll::Pending, |reply| Poll::Ready(Some(Ok(reply))))
    }
}

impl State {
    fn answer(&mut self, method: &'static str, request: Bytes) -> Result<Vec<u8>, DecodeError> {
        Ok(match method {
            decision_service::DECIDE => self.decide(pb::DecideRequest::decode(request)?).encode_to_vec(),
            decision_service::DECIDE_MANY => self.decide_many(pb::DecideManyRequest::decode(request)?).encode_to_vec(),
            decision_service::EXPLAIN => self.explain(pb::ExplainRequest::decode(request)?).encode_to_vec(),
            datafile_service::GET_STATUS => status().encode_to_vec(),
            tracking_service::FLUSH => Vec::new(),
            tracking_service::IMPORT => self.import(pb::ImportRequest::decode(request)?).encode_to_vec(),
            _ => {
                let event_id = self.keep(event(method, request)?);
                pb::TrackResponse { event_id, ..Default::default() }.encode_to_vec()
            }
        })
    }

    fn decide(&mut self, request: pb::DecideRequest) -> pb::DecideResponse {
        let mut keys = request.flag_keys;
        if keys.is_empty() {
            keys = self.decisions.iter().map(|each| each.flag_key.clone()).collect();
        }
        let attributes = all_decoded(request.attributes);
        self.decided.extend(keys.iter().map(|key| RecordedDecision {
            user_id: request.user_id.clone(),
            flag_key: key.clone(),
            attributes: attributes.clone(),
        }));
        let decisions = keys.iter().map(|key| self.decision(key)).collect();
        pb::DecideResponse { decisions, revision: REVISION.to_owned(), decision_id: request.decision_id }
    }

    fn decide_many(&mut self, request: pb::DecideManyRequest) -> pb::DecideManyResponse {
        let flag_keys = request.flag_keys;
        let results = request.users.into_iter().map(|user| {
            let decided = self.decide(pb::DecideRequest {
                user_id: user.user_id,
                attributes: user.attributes,
                decision_id: user.decision_id,
                flag_keys: flag_keys.clone(),
                ..Default::default()
            });
            pb::DecideManyResult { result: Some(pb::decide_many_result::Result::Decided(decided)) }
        });
        pb::DecideManyResponse { results: results.collect() }
    }

    fn explain(&self, request: pb::ExplainRequest) -> pb::ExplainResponse {
        pb::ExplainResponse {
            decision: Some(self.decision(&request.flag_key)),
            revision: REVISION.to_owned(),
            bucketing_id: request.user_id,
            ..Default::default()
        }
    }

    fn import(&mut self, request: pb::ImportRequest) -> pb::ImportResponse {
        let (given, before) = (request.events.len(), self.events.len());
        let event_ids = request.events.into_iter().filter_map(|each| each.event).map(|each| self.keep(each)).collect();
        let repeated = given - (self.events.len() - before);
        let repeated_events = i32::try_from(repeated).unwrap_or(i32::MAX);
        pb::ImportResponse { event_ids, repeated_events, ..Default::default() }
    }

    fn keep(&mut self, event: Event) -> String {
        let event = recorded(event);
        let event_id = event.event_id.clone();
        if self.events.iter().all(|each| each.event_id != event_id) {
            self.events.push(event);
        }
        event_id
    }

    fn decision(&self, flag_key: &str) -> pb::Decision {
        let fixed = self.decisions.iter().find(|each| each.flag_key == flag_key).cloned();
        let given = fixed.unwrap_or_else(|| Decision::new(flag_key).with_reason(Reason::FlagNotFound));
        pb::Decision {
            flag_key: given.flag_key,
            variation_key: given.variation_key,
            enabled: given.enabled,
            variables: all_encoded(given.variables.values),
            rule_key: given.rule_key,
            rule_type: given.rule_type as i32,
            reason: given.reason as i32,
            experiment_id: given.experiment_id,
            variation_id: given.variation_id,
            reasons: given.reasons,
        }
    }
}

fn event(method: &'static str, request: Bytes) -> Result<Event, DecodeError> {
    Ok(match method {
        tracking_service::IDENTIFY => Event::Identify(Message::decode(request)?),
        tracking_service::PAGE => Event::Page(Message::decode(request)?),
        tracking_service::SCREEN => Event::Screen(Message::decode(request)?),
        tracking_service::GROUP => Event::Group(Message::decode(request)?),
        tracking_service::ALIAS => Event::Alias(Message::decode(request)?),
        _ => Event::Track(Message::decode(request)?),
    })
}

fn status() -> pb::GetStatusResponse {
    pb::GetStatusResponse {
        name: "default".to_owned(),
        revision: REVISION.to_owned(),
        source: "fake".to_owned(),
        ..Default::default()
    }
}

/// A failure as the sidecar tells it, with its reason in the details; without details when the reason is empty.
pub(super) fn refusal(code: Code, message: &str, reason: &str) -> Status {
    if reason.is_empty() {
        return Status::new(code, message);
    }
    let info = rpc::ErrorInfo { reason: reason.to_owned(), domain: "sidecar".to_owned(), metadata: BTreeMap::new() };
    let detail = Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(), value: info.encode_to_vec() };
    let told = rpc::Status { code: code as i32, message: message.to_owned(), details: vec![detail] };
    Status::with_details(code, message, Bytes::from(told.encode_to_vec()))
}
