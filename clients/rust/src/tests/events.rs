//! Events: what is sent, retries, the buffer, imports.

use std::time::{Duration, SystemTime};

use prost::Message;
use tonic::Status;

use super::{Act, Script, away};
use crate::testing::FakeSidecar;
use crate::{Accepted, Draft, Error, Money, User, pb};

#[tokio::test(start_paused = true)]
async fn a_retry_of_an_event_has_the_id_and_time_of_the_first_attempt() {
    let script = Script::of([away(), away(), away()]);
    let user = script.client().user("u").with_attribute("country", "DE");
    user.track("purchase").revenue(Money::new("19.90", "USD").unwrap()).await.unwrap();
    let sent = script.sent_as::<pb::TrackRequest>();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|each| *each == sent[0]));
    assert_eq!(sent[0].event_id.len(), 36);
    assert!(sent[0].timestamp.is_some() && sent[0].attributes.contains_key("country"));
    assert_eq!(sent[0].revenue.as_ref().unwrap().amount, "19.90");
}

#[tokio::test]
async fn a_refused_event_tells_every_violation_and_its_id() {
    let fields = ["user_id", "event_key"].map(|field| pb::rpc::bad_request::FieldViolation {
        field: field.to_owned(),
        description: "is empty".to_owned(),
        ..Default::default()
    });
    let refused = pb::rpc::BadRequest { field_violations: fields.to_vec() }.encode_to_vec();
    let pause = pb::rpc::RetryInfo { retry_delay: Some(prost_types::Duration { seconds: 2, nanos: 0 }) };
    let any =
        |name: &str, value| prost_types::Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value };
    let details = vec![any("BadRequest", refused), any("RetryInfo", pause.encode_to_vec())];
    let told = pb::rpc::Status { code: 3, message: String::new(), details }.encode_to_vec();
    let script = Script::of([Act::Fail(Status::with_details(tonic::Code::InvalidArgument, "two", told.into()))]);
    let error = script.client().user("").track("").event_id("e-1").await.unwrap_err();
    assert!(matches!(error, Error::RequestRefused(_)) && !error.is_retryable());
    let fields: Vec<_> = error.violations().iter().map(|each| each.field.as_str()).collect();
    assert_eq!(fields, ["user_id", "event_key"]);
    assert_eq!((error.event_id(), error.retry_after()), ("e-1", Some(Duration::from_secs(2))));
    let wanted =
        "/sidecar.v1.TrackingService/Track failed: INVALID_ARGUMENT: two; user_id: is empty; event_key: is empty";
    assert_eq!(error.to_string(), wanted);
}

#[tokio::test]
async fn the_fake_records_what_was_sent_and_a_repeated_id_once() {
    let fake = FakeSidecar::default();
    let user = fake.client().user("u").with_anonymous_id("a");
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
    for _ in 0..2 {
        user.track("purchase").event_id("e-1").timestamp(time).tag("value", 0.5).property("sku", "7").await.unwrap();
    }
    user.identify().add_trait("plan", "pro").await.unwrap();
    user.page("Home").category("shop").await.unwrap();
    user.screen("Main").context([("ip", "::1")]).await.unwrap();
    user.group("acme").integrations([("All", false)]).await.unwrap();
    user.alias("old").await.unwrap();
    let events = fake.events();
    let kinds: Vec<_> = events.iter().map(|each| each.kind).collect();
    assert_eq!(kinds, ["track", "identify", "page", "screen", "group", "alias"]);
    assert_eq!((events[0].timestamp, events[0].tags["value"].as_f64()), (Some(time), Some(0.5)));
    assert_eq!((events[0].anonymous_id.as_str(), events[5].previous_id.as_str()), ("a", "old"));
    assert_eq!((events[2].category.as_str(), events[3].context.len()), ("shop", 1));
    assert_eq!(events[4].integrations["All"].as_bool(), Some(false));
}

async fn track(user: &User, event_id: &str) -> Accepted {
    user.track("e").event_id(event_id).await.unwrap()
}

fn ids(fake: &FakeSidecar) -> Vec<String> {
    fake.events().into_iter().map(|each| each.event_id).collect()
}

#[tokio::test(start_paused = true)]
async fn the_buffer_keeps_order_drops_its_oldest_and_is_sent_when_the_sidecar_is_back() {
    let fake = FakeSidecar::default();
    let client = fake.client_with(|options| options.buffer_events_max(2));
    let user = client.user("u");
    fake.fail();
    for event_id in ["1", "2", "3"] {
        assert!(track(&user, event_id).await.buffered);
    }
    assert_eq!((client.counters().events_buffered, client.counters().events_dropped), (2, 1));
    fake.recover();
    assert!(track(&user, "4").await.buffered, "an event must not overtake those that wait");
    assert_eq!(client.flush(Duration::from_secs(30)).await.unwrap().buffered, 0);
    assert_eq!(ids(&fake), ["3", "4"]);
    assert!(!track(&user, "5").await.buffered);
    assert_eq!((client.counters().events_buffered, client.counters().events_dropped), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_an_event_is_told_also_with_a_buffer() {
    let fake = FakeSidecar::default();
    let client = fake.client_with(|options| options.buffer_events_max(2));
    fake.fail_with("INVALID_ARGUMENT", "wrong", "");
    assert!(matches!(client.user("u").track("e").await, Err(Error::RequestRefused(_))));
    assert_eq!(client.counters().events_buffered, 0);
}

#[tokio::test(start_paused = true)]
async fn close_gives_the_buffer_its_time_and_counts_what_is_left() {
    let fake = FakeSidecar::default();
    let client = fake.client_with(|options| options.buffer_events_max(9));
    fake.fail();
    track(&client.user("u"), "1").await;
    client.close().await;
    assert_eq!((client.counters().events_buffered, client.counters().events_dropped), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_the_buffer_are_bounded_too() {
    let fake = FakeSidecar::default();
    let client = fake.client_with(|options| options.buffer_events_max(9).buffer_bytes_max(1_500));
    fake.fail();
    for event_id in ["1", "2"] {
        client.user("u").track("e").event_id(event_id).property("text", "x".repeat(1_000)).await.unwrap();
    }
    assert_eq!((client.counters().events_buffered, client.counters().events_dropped), (1, 1));
}

fn drafts(user: &User, count: usize) -> Vec<Draft> {
    (0..count).map(|number| user.track("e").event_id(format!("e-{number}")).draft().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_import_goes_on_after_an_outage_and_reports_a_refused_batch() {
    let refused = Act::Fail(Status::invalid_argument("events[1].user_id is empty"));
    let script = Script::of([refused].into_iter().chain((0..30).map(|_| away())));
    let client = script.client();
    let imported = client.import_events(drafts(&client.user("u"), 5)).batch_events_max(2).await.unwrap();
    assert_eq!((imported.accepted, imported.refused.len()), (3, 1));
    assert_eq!((imported.refused[0].first_index, imported.refused[0].events), (0, 2));
    let last = script.sent_as::<pb::ImportRequest>().pop().unwrap();
    assert_eq!(last.events.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_import_that_breaks_off_says_how_far_it_came() {
    let empty = Act::Reply(Vec::new());
    let script = Script::of([empty, Act::Fail(Status::permission_denied("no"))]);
    let client = script.client();
    let broken = client.import_events(drafts(&client.user("u"), 3)).batch_events_max(2).await.unwrap_err();
    assert!(matches!(broken.error, Error::AccessDenied(_)));
    assert_eq!(broken.imported.accepted, 2);
}

#[tokio::test]
async fn a_batch_is_bounded_in_bytes_too() {
    let script = Script::of([]);
    let client = script.client();
    let user = client.user("u");
    let large = "x".repeat(1_500_000);
    let drafts = (0..5).map(|_| user.track("e").property("text", large.as_str()).draft().unwrap()).collect::<Vec<_>>();
    assert_eq!(client.import_events(drafts).await.unwrap().accepted, 5);
    let sizes: Vec<_> = script.sent_as::<pb::ImportRequest>().iter().map(|each| each.events.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
}
