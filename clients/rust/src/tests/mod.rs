//! The client over a transport that follows a script: what is sent, how often, and what its caller is told.

mod decide;
mod events;
mod streams;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::client::Client;
use crate::settings::{ClientBuilder, DEFAULT_ADDRESS};
use crate::transport::{BoxFuture, Replies, Transport};

/// What the transport does with one attempt. After the last it succeeds with an empty message.
pub(crate) enum Act {
    Reply(Vec<u8>),
    Fail(Status),
    Hang,
}

#[derive(Default)]
pub(crate) struct Script {
    acts: Mutex<VecDeque<Act>>,
    sent: Mutex<Vec<(&'static str, Bytes)>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    pub(crate) fn of(acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        Arc::new(Self { acts: Mutex::new(acts.into_iter().collect()), sent: Mutex::default() })
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.client_with(|options| options)
    }

    pub(crate) fn client_with(self: &Arc<Self>, options: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        Client::over(Arc::clone(self) as _, options(Client::builder(DEFAULT_ADDRESS)).settings)
    }

    /// The requests of all attempts so far, in order.
    pub(crate) fn sent(&self) -> Vec<(&'static str, Bytes)> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn sent_as<M: Message + Default>(&self) -> Vec<M> {
        self.sent().into_iter().map(|(_, bytes)| M::decode(bytes).unwrap()).collect()
    }

    fn next(&self, method: &'static str, request: Bytes) -> Option<Act> {
        self.sent.lock().unwrap().push((method, request));
        self.acts.lock().unwrap().pop_front()
    }
}

impl Transport for Script {
    fn unary(&self, method: &'static str, request: Bytes, timeout: Duration) -> BoxFuture<'_, Result<Bytes, Status>> {
        let act = self.next(method, request);
        Box::pin(async move {
            match act {
                None => Ok(Bytes::new()),
                Some(Act::Reply(reply)) => Ok(Bytes::from(reply)),
                Some(Act::Fail(status)) => Err(status),
                Some(Act::Hang) => {
                    tokio::time::sleep(timeout).await;
                    Err(Status::deadline_exceeded("late"))
                }
            }
        })
    }

    /// A stream of one reply, which then ends.
    fn stream(&self, method: &'static str, request: Bytes) -> BoxFuture<'_, Result<Replies, Status>> {
        let act = self.next(method, request);
        Box::pin(async move {
            let mut reply = match act {
                None | Some(Act::Hang) => return std::future::pending().await,
                Some(Act::Reply(reply)) => Some(Bytes::from(reply)),
                Some(Act::Fail(status)) => return Err(status),
            };
            let replies = once(move || reply.take().map(Ok));
            Ok(Box::pin(replies) as Replies)
        })
    }

    fn close(&self) {}
}

struct Once<F>(F);

impl<F: FnMut() -> Option<Result<Bytes, Status>> + Unpin> futures_core::Stream for Once<F> {
    type Item = Result<Bytes, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready((self.0)())
    }
}

fn once<F: FnMut() -> Option<Result<Bytes, Status>> + Unpin>(next: F) -> Once<F> {
    Once(next)
}

pub(crate) fn away() -> Act {
    Act::Fail(Status::unavailable("nobody is there"))
}
