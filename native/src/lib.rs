//! A sans-IO gRPC codec over HTTP/2: bytes in, calls out; replies in, bytes out.
//!
//! [`ServerConnection`] and [`ClientConnection`] are state machines of one connection each. They have no socket, thread,
//! clock or TLS: who has those gives bytes to `receive`, writes what `take_output` returns, calls `tick` when it said
//! so, and passes the time with each. HTTP/2 itself (frames, HPACK, windows, priorities) is nghttp2's; what is here is
//! gRPC, the bounds, and how a connection lives and ends.
//!
//! # What is promised
//!
//! * **A call** is `Call` (a method with one request message, whole) or `Opened`, `Message` …, `Ended`. A call that is
//!   reset in the read that opened it is never heard of. After `Cancelled` nothing may be sent, and what is sent all the
//!   same is ignored: an id is never used again (`calls`).
//! * **Refused by the codec**, so that no caller sees it: no POST (HTTP 405), no gRPC (415), both with a line of text; an
//!   unknown path, an encoding besides identity and gzip, too few or too many messages of a single call (UNIMPLEMENTED);
//!   a message or metadata that is too large, or for which the budget has no room (`RESOURCE_EXHAUSTED`); no
//!   `te: trailers`, a malformed timeout, `-bin` value, gzip or message that is cut off (INTERNAL). Source:
//!   PROTOCOL-HTTP2.md and statuscodes.md of the grpc project.
//! * **A malformed request** (RFC 9113 section 8) ends its connection, whose `failure` says the rule. An `:authority` is
//!   taken as it comes: each stack has its own idea of a Unix socket's.
//! * **Heads that repeat**, but for their timeout, are compared with the one before and share its fields (`known`).
//! * **Memory** of a connection: a stream holds one message and one window at most (`inbound`); replies that wait say
//!   when it is too much (`outbound`); all connections together hold what [`Budget`] allows, and none of them so much that
//!   others find no room.
//! * **Replies** leave uncompressed: on loopback a byte is cheaper than its compression. Compressed ones are read.
//! * **Floods** end their connection with `ENHANCE_YOUR_CALM` or nghttp2's own error: resets, SETTINGS, PING,
//!   CONTINUATION, header lists many times too large, frames of no use. Bounds and sources: `limits`.
//! * **Times**: keepalive, idle, age (`pace`). GOAWAY goes in two steps, so that no call on its way is lost.
//! * **A panic** ends one connection: it is caught before it reaches C or Python (`guard`).
//!
//! # How it is built
//!
//! | module | is |
//! |---|---|
//! | `nghttp2` | the library behind a safe face; the only unsafe code |
//! | `connection` | the order of things that both roles share |
//! | `server`, `client` | the two roles: what a frame means for a call |
//! | `inbound`, `outbound` | the halves of a stream: windows, budget, queue |
//! | `framing`, `metadata`, `wire`, `status` | gRPC's forms: messages, headers, timeouts, trailers |
//! | `pace`, `limits`, `budget`, `calls` | time, bounds, memory of all, ids |
//! | `python` | the face for Python, when the feature of that name is on |

mod budget;
mod calls;
mod client;
mod connection;
mod framing;
mod guard;
mod inbound;
mod limits;
mod metadata;
mod nghttp2;
mod outbound;
mod pace;
pub mod plain;
mod server;
mod status;
mod wire;

#[cfg(feature = "python")]
mod python;

pub use budget::Budget;
pub use client::{ClientConnection, ClientEvent, Outcome};
pub use limits::Limits;
pub use metadata::{Metadata, Value};
pub use server::{Methods, Request, ServerConnection, ServerEvent};
pub use status::Code;
