//! Decisions: retries, defaults, strictness, bounds.

use std::time::Duration;

use prost::Message;
use tokio::time::Instant;
use tonic::Status;

use super::{Act, Script, away};
use crate::testing::FakeSidecar;
use crate::{Decision, Error, Reason, Value, pb};

fn answer(flag_key: &str) -> Act {
    let decisions = vec![pb::Decision { flag_key: flag_key.to_owned(), enabled: true, ..Default::default() }];
    Act::Reply(pb::DecideResponse { decisions, revision: "41".to_owned(), ..Default::default() }.encode_to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_retry_sends_the_same_bytes_with_the_id_set_before_the_first() {
    let script = Script::of([away(), away(), answer("f")]);
    let client = script.client();
    let decision = client.user("u").with_attribute("b", 1).with_attribute("a", 2).decide("f").await;
    assert!(decision.enabled && decision.revision == "41");
    let sent = script.sent();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|each| *each == sent[0]));
    assert_eq!(script.sent_as::<pb::DecideRequest>()[0].decision_id.len(), 36);
    assert_eq!(client.counters().retries, 2);
}

#[tokio::test(start_paused = true)]
async fn a_decision_without_an_answer_is_the_default_counted_and_says_why() {
    let script = Script::of([away(), away(), away()]);
    let client = script.client();
    let default = Decision::new("f").with_variation("control").with_variable("steps", 4);
    let decision = client.user("u").decide("f").default(default).await;
    assert_eq!((decision.reason, decision.error_reason.as_str()), (Reason::SidecarUnavailable, "UNAVAILABLE"));
    assert_eq!(decision.variation_key, "control");
    assert_eq!(decision.variables.integer("steps"), Ok(4));
    assert!(decision.reasons[0].ends_with("failed: UNAVAILABLE: nobody is there"), "{}", decision.reasons[0]);
    assert_eq!((script.sent().len(), client.counters().decisions_defaulted), (3, 1));
}

#[tokio::test]
async fn only_unavailable_is_tried_again() {
    for status in [Status::internal(""), Status::resource_exhausted(""), Status::aborted(""), Status::cancelled("")] {
        let script = Script::of([Act::Fail(status)]);
        assert!(script.client().user("u").decide("f").strict().await.is_err());
        assert_eq!(script.sent().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_past_the_deadline() {
    let script = Script::of([away(), away(), away()]);
    let started = Instant::now();
    let decision = script.client().user("u").decide("f").timeout(Duration::from_millis(4)).await;
    assert_eq!(decision.error_reason, "UNAVAILABLE");
    assert_eq!(script.sent().len(), 1);
    assert!(started.elapsed() <= Duration::from_millis(4));
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_that_stands_still_costs_the_deadline_and_no_more() {
    let script = Script::of([Act::Hang]);
    let started = Instant::now();
    let error = script.client().user("u").decide("f").strict().await.unwrap_err();
    assert!(matches!(error, Error::DeadlinePassed(_)), "{error}");
    assert_eq!(started.elapsed().as_millis(), 250);
}

#[tokio::test]
async fn strict_tells_the_error_with_its_reason() {
    let fake = FakeSidecar::default();
    fake.fail_with("FAILED_PRECONDITION", "no datafile yet", "NO_DATAFILE");
    let client = fake.client();
    let error = client.user("u").decide("f").strict().await.unwrap_err();
    assert!(matches!(error, Error::NotReady(_)) && error.is_retryable());
    assert_eq!((error.code(), error.reason()), ("FAILED_PRECONDITION", "NO_DATAFILE"));
    assert_eq!(client.counters().decisions_defaulted, 0);
}

#[tokio::test(start_paused = true)]
async fn several_flags_have_their_defaults_in_the_order_asked_and_all_flags_those_given() {
    let script = Script::of([away(), away(), away(), away(), away(), away()]);
    let user = script.client().user("u");
    let given = [Decision::new("b").with_variation("x")];
    let several = user.decide_for_keys(["a", "b"]).defaults(given.clone()).await;
    let answered: Vec<_> = several.iter().map(|each| (each.flag_key.as_str(), each.variation_key.as_str())).collect();
    assert_eq!(answered, [("a", ""), ("b", "x")]);
    let all = user.decide_all().defaults(given).await;
    assert_eq!((all.decisions.len(), all.error_reason.as_str()), (1, "UNAVAILABLE"));
}

#[tokio::test]
async fn a_value_without_a_wire_form_is_told_with_its_path_before_anything_is_sent() {
    let deep = (0..33).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    let script = Script::of([]);
    let user = script.client().user("u").with_attribute("deep", deep);
    let error = user.decide("f").strict().await.unwrap_err();
    let path = format!("attributes[deep]{}", "[0]".repeat(32));
    assert!(matches!(&error, Error::RequestRefused(_)) && error.violations()[0].field == path, "{error}");
    assert_eq!(user.decide("f").await.error_reason, "INVALID_ARGUMENT");
    assert!(user.track("purchase").await.is_err());
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn a_call_after_close_is_client_closed_and_a_decision_its_default() {
    let client = Script::of([]).client();
    client.close().await;
    client.close().await;
    assert_eq!(client.user("u").decide("f").await.error_reason, "CLIENT_CLOSED");
    assert!(matches!(client.user("u").track("e").await, Err(Error::ClientClosed(_))));
    assert!(matches!(client.status().await, Err(Error::ClientClosed(_))));
}

#[tokio::test(start_paused = true)]
async fn a_call_during_close_is_client_closed() {
    let client = Script::of([Act::Hang]).client();
    let user = client.user("u");
    let call = tokio::spawn(async move { user.decide("f").timeout(Duration::from_secs(60)).strict().await });
    tokio::task::yield_now().await;
    client.close().await;
    assert!(matches!(call.await.unwrap(), Err(Error::ClientClosed(_))));
}

#[tokio::test]
async fn one_of_many_users_that_is_refused_has_the_default_and_strict_tells_it() {
    use pb::decide_many_result::Result as One;
    let refused = pb::rpc::Status { code: 3, message: "user_id is empty".to_owned(), details: Vec::new() };
    let decided = pb::DecideResponse { revision: "41".to_owned(), ..Default::default() };
    let results = [One::Decided(decided), One::Error(refused)].map(|each| pb::DecideManyResult { result: Some(each) });
    let reply = pb::DecideManyResponse { results: results.to_vec() }.encode_to_vec();
    let script = Script::of([Act::Reply(reply.clone()), Act::Reply(reply)]);
    let client = script.client();
    let call = client.decide_many([client.user("a"), client.user("")], ["f"]);
    let answered = call.clone().await;
    assert_eq!((answered[0].revision.as_str(), answered[1].error_reason.as_str()), ("41", "INVALID_ARGUMENT"));
    assert_eq!((answered[1].decisions[0].flag_key.as_str(), client.counters().decisions_defaulted), ("f", 1));
    assert!(matches!(call.strict().await, Err(Error::RequestRefused(_))));
}

#[tokio::test]
async fn many_tasks_share_one_client() {
    let fake = FakeSidecar::new([Decision::new("f").with_variable("big", (1_i64 << 53) + 1)]);
    let client = fake.client();
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let user = client.user(format!("user-{number}"));
            tokio::spawn(async move { user.decide("f").await.variables.integer("big") })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(9_007_199_254_740_993));
    }
    assert_eq!(fake.decided().len(), 64);
}
