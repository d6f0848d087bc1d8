//! Makes the calls that standard input lists, through tonic, and prints one JSON line for each. It knows no message
//! type: requests and replies are bytes, in hex. The plan's form: tests/interop/callers.py.

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use bytes::{Buf, BufMut};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{AsciiMetadataKey, BinaryMetadataKey, BinaryMetadataValue, MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Request, Status, Streaming};
use tower::service_fn;

#[derive(Deserialize)]
struct Plan {
    network: String,
    address: String,
    ca: String,
    server_name: String,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    kind: String,
    method: String,
    requests: Vec<String>,
    metadata: Vec<(String, String)>,
    timeout_ms: u64,
    cancel_after: usize,
    gzip: bool,
}

#[derive(Default, Serialize)]
struct Outcome {
    name: String,
    code: i32,
    message: String,
    details: String,
    initial: String,
    trailing: String,
    replies: Vec<String>,
}

/// Leaves bytes alone.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let plan: Plan = serde_json::from_reader(std::io::stdin())?;
    let channel = connect(&plan).await?;
    for call in &plan.calls {
        let mut outcome = Outcome {
            name: call.name.clone(),
            ..Outcome::default()
        };
        let limit = Duration::from_millis(call.timeout_ms);
        // Why a timer of our own too: tonic sends `grpc-timeout` and leaves it to the channel's timeout to keep it.
        let status = match tokio::time::timeout(limit, perform(&channel, call, &mut outcome)).await {
            Ok(Ok(())) => Status::ok(""),
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("the deadline of the plan has passed"),
        };
        outcome.code = status.code() as i32;
        outcome.message = status.message().to_owned();
        if !status.details().is_empty() {
            outcome.details = hex::encode(status.details());
        }
        if outcome.trailing.is_empty() {
            outcome.trailing = trailing(status.metadata());
        }
        println!("{}", serde_json::to_string(&outcome)?);
    }
    Ok(())
}

async fn connect(plan: &Plan) -> Result<Channel, Box<dyn Error>> {
    Ok(match plan.network.as_str() {
        "unix" => {
            let path = plan.address.clone();
            let connector = service_fn(move |_: Uri| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(TokioIo::new) }
            });
            Endpoint::from_static("http://localhost")
                .connect_with_connector(connector)
                .await?
        }
        "tls" => {
            let tls = ClientTlsConfig::new()
                .ca_certificate(Certificate::from_pem(std::fs::read(&plan.ca)?))
                .domain_name(&plan.server_name);
            Endpoint::from_shared(format!("https://{}", plan.address))?
                .tls_config(tls)?
                .connect()
                .await?
        }
        _ => {
            Endpoint::from_shared(format!("http://{}", plan.address))?
                .connect()
                .await?
        }
    })
}

async fn perform(channel: &Channel, call: &Call, outcome: &mut Outcome) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone());
    if call.gzip {
        client = client.send_compressed(CompressionEncoding::Gzip);
    }
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = call.method.parse().expect("the plan holds a path");
    let mut requests = call.requests.iter().map(|text| bytes_of(text));
    match call.kind.as_str() {
        "unary" => {
            let request = headed(requests.next().expect("a unary call has a request"), call);
            let reply = client.unary(request, path, Raw).await?;
            outcome.initial = initial(reply.metadata());
            outcome.trailing = trailing(reply.metadata());
            outcome.replies.push(hex::encode(reply.into_inner()));
            Ok(())
        }
        "bidi" => {
            let (sender, receiver) = mpsc::channel(1);
            // Why before the call: it returns with the server's headers, which a server may keep until its first reply.
            let first = requests.next().expect("a stream has a request");
            sender.send(first).await.expect("an empty stream takes one");
            let reply = client
                .streaming(headed(ReceiverStream::new(receiver), call), path, Raw)
                .await?;
            outcome.initial = initial(reply.metadata());
            let mut sender = Some(sender);
            drain(reply.into_inner(), call, outcome, || {
                match (&sender, requests.next()) {
                    // Why an error is left alone: the call has ended, and the status is what reading gives.
                    (Some(to), Some(request)) => drop(to.try_send(request)),
                    _ => sender = None,
                }
            })
            .await
        }
        _ => {
            let request = headed(requests.next().expect("a stream has a request"), call);
            let reply = client.server_streaming(request, path, Raw).await?;
            outcome.initial = initial(reply.metadata());
            drain(reply.into_inner(), call, outcome, || ()).await
        }
    }
}

/// Read replies to the end, doing `next` after each; dropping the stream is how tonic cancels.
async fn drain(
    replies: Streaming<Vec<u8>>,
    call: &Call,
    outcome: &mut Outcome,
    mut next: impl FnMut(),
) -> Result<(), Status> {
    let mut replies = pin!(replies);
    while let Some(reply) = replies.message().await? {
        outcome.replies.push(hex::encode(reply));
        if outcome.replies.len() == call.cancel_after {
            return Err(Status::cancelled("the plan says so"));
        }
        next();
    }
    if let Some(trailers) = replies.trailers().await? {
        outcome.trailing = trailing(&trailers);
    }
    Ok(())
}

fn headed<T>(message: T, call: &Call) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_millis(call.timeout_ms));
    let metadata = request.metadata_mut();
    for (key, value) in &call.metadata {
        if key.ends_with("-bin") {
            let key: BinaryMetadataKey = key.parse().expect("the plan holds a key");
            metadata.append_bin(key, BinaryMetadataValue::from_bytes(&bytes_of(value)));
        } else {
            let key: AsciiMetadataKey = key.parse().expect("the plan holds a key");
            metadata.append(key, MetadataValue::try_from(value).expect("the plan holds ASCII"));
        }
    }
    request
}

fn initial(metadata: &MetadataMap) -> String {
    let found = metadata.get("x-grpc-test-echo-initial");
    found.map_or_else(String::new, |value| value.to_str().unwrap_or("no ASCII").to_owned())
}

fn trailing(metadata: &MetadataMap) -> String {
    let found = metadata.get_bin("x-grpc-test-echo-trailing-bin");
    found.map_or_else(String::new, |value| {
        value.to_bytes().map_or("no base64".to_owned(), hex::encode)
    })
}

fn bytes_of(text: &str) -> Vec<u8> {
    hex::decode(text).expect("the plan holds hex")
}
