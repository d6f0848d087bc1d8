//! The transport over gRPC: one HTTP/2 connection by tonic, over TCP or a Unix socket.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::Uri;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::errors::Invalid;
use crate::settings::{Settings, Token};
use crate::transport::{BoxFuture, Replies, Transport};

/// How long a connection may take. Why not a call's deadline: the connection outlives the call that asked for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What the sidecar may send before it is read. Why not HTTP/2's 64 KiB: decisions of many users are larger.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct GrpcTransport {
    endpoint: Endpoint,
    /// Made by the first call, since that is where a runtime is.
    channel: Mutex<Option<Channel>>,
    token: Token,
    reply_bytes_max: usize,
}

impl GrpcTransport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Invalid> {
        let endpoint = endpoint_of(settings)?
            .connect_timeout(CONNECT_TIMEOUT)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        let (token, reply_bytes_max) = (settings.token.clone(), settings.reply_bytes_max);
        Ok(Self { endpoint, channel: Mutex::new(None), token, reply_bytes_max })
    }

    fn open(&self) -> Grpc<Channel> {
        let mut kept = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = kept.get_or_insert_with(|| self.endpoint.connect_lazy()).clone();
        Grpc::new(channel).max_decoding_message_size(self.reply_bytes_max)
    }

    /// A request with the headers of one attempt: the token, read here, and the trace of the caller's span.
    fn request(&self, message: Bytes) -> Result<Request<Bytes>, Status> {
        let mut request = Request::new(message);
        let token = match &self.token {
            Token::None => None,
            Token::Fixed(token) => Some(token.clone()),
            Token::Read(read) => Some(read()),
        };
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            let mut value = MetadataValue::try_from(format!("Bearer {token}"))
                .map_err(|_| Status::unauthenticated("the token is no text that a header can hold"))?;
            value.set_sensitive(true);
            request.metadata_mut().insert("authorization", value);
        }
        #[cfg(feature = "opentelemetry")]
        crate::trace_context::put(request.metadata_mut());
        Ok(request)
    }
}

fn endpoint_of(settings: &Settings) -> Result<Endpoint, Invalid> {
    let address = &settings.address;
    let refused = |_| Invalid(format!("address is `{address}`, wanted `HOST:PORT` or `unix:PATH`"));
    if address.starts_with("unix:") {
        #[cfg(feature = "tls")]
        if settings.tls.is_some() {
            return Err(Invalid(format!("tls is given for `{address}`, wanted none on a Unix socket")));
        }
        // Why an origin: the authority would be the library's name.
        let origin = Uri::from_static("http://localhost");
        return Ok(Endpoint::from_shared(address.clone()).map_err(refused)?.origin(origin));
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = &settings.tls {
        return tls.secure(Endpoint::from_shared(format!("https://{address}")).map_err(refused)?);
    }
    Endpoint::from_shared(format!("http://{address}")).map_err(refused)
}

impl Transport for GrpcTransport {
    fn unary(&self, method: &'static str, request: Bytes, timeout: Duration) -> BoxFuture<'_, Result<Bytes, Status>> {
        Box::pin(async move {
            let mut request = self.request(request)?;
            request.set_timeout(timeout);
            let mut grpc = self.open();
            let call = async {
                grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
                let reply = grpc.unary(request, PathAndQuery::from_static(method), BytesCodec).await?;
                Ok(reply.into_inner())
            };
            let late = |_| Status::deadline_exceeded(format!("no answer within {} ms", timeout.as_millis()));
            tokio::time::timeout(timeout, call).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
        })
    }

    fn stream(&self, method: &'static str, request: Bytes) -> BoxFuture<'_, Result<Replies, Status>> {
        Box::pin(async move {
            let request = self.request(request)?;
            let mut grpc = self.open();
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let replies = grpc.server_streaming(request, PathAndQuery::from_static(method), BytesCodec).await?;
            Ok(Box::pin(replies.into_inner()) as Replies)
        })
    }

    fn close(&self) {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Messages as the bytes that they are.
#[derive(Clone, Copy, Debug)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
