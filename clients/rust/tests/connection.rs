//! The transport over sockets, against peers that misbehave. A real sidecar's turn is the conformance of the clients.

use std::time::{Duration, Instant};

use decision_sidecar_client::{Client, Error, connect};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, UnixListener};

#[tokio::test]
async fn where_nobody_listens_an_event_is_unavailable_within_its_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = connect(&address).unwrap();
    let error = client.user("u").track("e").timeout(Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(client.counters().retries > 0);
}

#[tokio::test]
async fn a_connection_that_breaks_is_unavailable_and_made_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = connect(&listener.local_addr().unwrap().to_string()).unwrap();
    let accepting = tokio::spawn(async move {
        let mut connections = 0;
        while connections < 3 {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _preface = socket.read(&mut [0; 64]).await;
            connections += 1;
        }
    });
    let decision = client.user("u").decide("f").timeout(Duration::from_secs(20)).await;
    assert_eq!(decision.error_reason, "UNAVAILABLE");
    accepting.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_stands_still_costs_the_deadline() {
    let directory = std::env::temp_dir().join(format!("sidecar-client-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("still.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let client = connect(&format!("unix:{}", path.display())).unwrap();
    let started = Instant::now();
    let error = client.user("u").decide("f").strict().await.unwrap_err();
    assert!(matches!(error, Error::DeadlinePassed(_)), "{error}");
    assert!(started.elapsed() >= Duration::from_millis(250));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn a_close_ends_a_call_under_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client: Client = connect(&listener.local_addr().unwrap().to_string()).unwrap();
    let user = client.user("u");
    let call = tokio::spawn(async move { user.track("e").timeout(Duration::from_secs(60)).await });
    let _connection = listener.accept().await.unwrap();
    client.close().await;
    assert!(matches!(call.await.unwrap(), Err(Error::ClientClosed(_))));
}
