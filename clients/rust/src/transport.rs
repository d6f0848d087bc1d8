//! The seam under the client: bytes to a method, bytes back. gRPC's implementation is in `grpc`, the fake's in `testing`.
//!
//! What every implementation promises:
//!
//! * It knows no message and retries nothing: one call is one attempt, so that the client alone decides what is sent
//!   twice. It fails with a `tonic::Status`; one with a source is of the connection, not of the sidecar.
//! * It connects at its first call, shares the connection, and makes it anew after it broke.
//! * The deadline is sent, and kept here too: a call returns in time though the peer stands still.
//!
//! Why there are no client streams: an import is a row of calls, each with a deadline and an answer that says what was
//! accepted; a sidecar next door leaves no round trip worth a stream.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tonic::Status;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
pub(crate) type Replies = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

pub(crate) trait Transport: Debug + Send + Sync {
    /// One call by full method name. Fails with `DEADLINE_EXCEEDED` after `timeout`.
    fn unary(&self, method: &'static str, request: Bytes, timeout: Duration) -> BoxFuture<'_, Result<Bytes, Status>>;

    /// A call with many replies and no deadline; dropping them ends it.
    fn stream(&self, method: &'static str, request: Bytes) -> BoxFuture<'_, Result<Replies, Status>>;

    /// Give up the connection. Idempotent; nothing is called after it.
    fn close(&self);
}
