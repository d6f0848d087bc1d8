//! Watching, waiting, and the end of a client.

use std::time::Duration;

use prost::Message;
use tonic::Status;

use super::{Act, Script, away};
use crate::testing::FakeSidecar;
use crate::{Error, pb};

fn change(revision: &str) -> Act {
    Act::Reply(pb::WatchResponse { revision: revision.to_owned(), ..Default::default() }.encode_to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_watch_survives_a_restart_and_tells_no_revision_twice() {
    let client = Script::of([change("1"), away(), change("1"), change("2")]).client();
    let mut watch = client.watch();
    for revision in ["1", "2"] {
        assert_eq!(watch.next().await.unwrap().unwrap().revision, revision);
    }
    client.close().await;
    assert!(watch.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_the_error_that_waiting_does_not_mend() {
    let mut watch = Script::of([Act::Fail(Status::unauthenticated("no token"))]).client().watch();
    assert!(matches!(watch.next().await, Some(Err(Error::AccessDenied(_)))));
    assert!(watch.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn waiting_is_over_when_a_datafile_is_there_or_the_time_is_up() {
    let fake = FakeSidecar::default();
    assert_eq!(fake.client().wait_ready(Duration::ZERO).await, Ok(true));
    fake.fail();
    assert_eq!(fake.client().wait_ready(Duration::from_secs(2)).await, Ok(false));
    fake.fail_with("UNAUTHENTICATED", "no token", "");
    assert!(fake.client().wait_ready(Duration::from_secs(2)).await.is_err());
}

#[tokio::test]
async fn the_last_handle_that_goes_closes_the_client() {
    let client = FakeSidecar::default().client();
    let closed = client.core.closed.clone();
    let user = client.user("u");
    drop(client);
    assert!(!closed.is_cancelled());
    drop(user);
    assert!(closed.is_cancelled());
}
