//! The codec from outside, without a socket: what goes in, what comes out.

mod calls;
mod flow;
mod hostile;
mod lifetime;
mod support;
