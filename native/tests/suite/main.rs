//! The codec from outside, without a socket: what goes in, what comes out.

mod calls;
mod compression;
mod flow;
mod hostile;
mod lifetime;
mod malformed;
mod repeats;
mod replies;
mod support;
