//! nghttp2 behind a safe face: the only module with unsafe code.
//!
//! [`Session`] owns one `nghttp2_session`. What the library reports arrives at a [`Handler`], which may answer through
//! [`Actions`]. Four rules make it sound:
//!
//! 1. A handler is lent to the session for one call of [`Session::receive`] or [`Session::send`] and forgotten after.
//! 2. A callback that comes while another one runs is refused, so that the handler is never borrowed twice.
//! 3. A stream's bytes go from the handler to the output directly: the library is told their number, then has the head
//!    of their frame put before them. The output is lent like the handler, for [`Session::send`] alone.
//! 4. No panic crosses C: it is caught in the callback, and the call that led there returns it as a [`Fault`].
//!
//! The library is not reentrant, has no globals that change, and reads the clock only for its own count of useless
//! frames (`GLITCHES_BURST`).

#![allow(unsafe_code, reason = "the one module that speaks to C; every block says why it is sound")]

mod actions;
mod callbacks;
mod output;
mod setup;
#[cfg(test)]
mod tests;

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use libnghttp2_sys as ffi;

pub(crate) use actions::{Actions, Field};
pub(crate) use setup::Settings;

use output::Output;

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The library's own word for it.
    Protocol(String),
    /// Code of ours panicked; the text of the panic.
    Panic(String),
}

impl Fault {
    /// For a log.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Protocol(text) | Self::Panic(text) => text,
        }
    }
}

/// What comes next of a stream's messages.
pub(crate) struct Fill<'a> {
    /// To be sent now; at most what was asked for.
    pub(crate) bytes: &'a [u8],
    pub(crate) then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// More is queued.
    More,
    /// Nothing until `resume`.
    Wait,
    /// Trailers follow; they were given to `Actions::trailers`.
    Trailers,
    /// The last bytes of the stream.
    End,
}

/// A frame that concerns the connection.
pub(crate) enum Control<'a> {
    Settings,
    Ping,
    PingAcknowledged,
    /// The peer gave up a stream.
    Reset,
    /// A frame that the library answered by ending the stream or the connection.
    Invalid,
    /// PRIORITY of stream 0, which the library reads over. RFC 9113 section 6.3 wants an error of the connection.
    PriorityOfNone,
    GoAway {
        code: u32,
        text: &'a [u8],
    },
    /// One whose last id cannot be; the library ends the connection because of it.
    GoAwayInvalid {
        code: u32,
        text: &'a [u8],
    },
    /// Ours, also when the library made it.
    GoAwaySent {
        code: u32,
        text: &'a [u8],
    },
}

/// What the library reports, in the order of the wire.
pub(crate) trait Handler {
    /// A header block of a stream begins; `first` = the peer's first on it.
    fn headers_begun(&mut self, session: &mut Actions<'_>, id: i32, first: bool);
    fn header(&mut self, session: &mut Actions<'_>, id: i32, name: &[u8], value: &[u8]);
    /// The block is whole; `last` = the peer sends nothing more on this stream.
    fn headers_ended(&mut self, session: &mut Actions<'_>, id: i32, last: bool);
    fn chunk(&mut self, session: &mut Actions<'_>, id: i32, bytes: &[u8]);
    /// A DATA frame was the peer's last.
    fn data_ended(&mut self, session: &mut Actions<'_>, id: i32);
    fn control(&mut self, session: &mut Actions<'_>, frame: Control<'_>);
    /// A stream is gone; its id never comes again. `code` is of RFC 9113 section 7.
    fn closed(&mut self, session: &mut Actions<'_>, id: i32, code: u32);
    /// The last frame of our side was serialised; `unsent` = a header block could not be.
    fn ended(&mut self, session: &mut Actions<'_>, id: i32, unsent: bool);
    /// The next bytes of a stream, `room` at most.
    fn fill(&mut self, session: &mut Actions<'_>, id: i32, room: usize) -> Fill<'_>;
}

/// Lent to the library as `user_data` while a call of it runs.
struct Lent<H> {
    handler: *mut H,
    /// A callback runs: see rule 2.
    entered: bool,
    panic: Option<String>,
    /// Null while input is taken.
    output: *mut Output,
}

/// One connection in the library, of either role.
pub(crate) struct Session<H> {
    raw: NonNull<ffi::nghttp2_session>,
    handler: PhantomData<fn(&mut H)>,
}

// SAFETY: the library keeps no thread-local state, and the session owns all that it points to. It is `Send`, not used
// from two threads: everything that touches `raw` takes `&mut self`.
unsafe impl<H> Send for Session<H> {}
// SAFETY: the methods that take `&self` only read integers of the session that change under `&mut self` alone.
unsafe impl<H> Sync for Session<H> {}

impl<H: Handler> Session<H> {
    pub(crate) fn server(settings: &Settings) -> Result<Self, Fault> {
        Self::new(settings, ffi::nghttp2_session_server_new2)
    }

    pub(crate) fn client(settings: &Settings) -> Result<Self, Fault> {
        Self::new(settings, ffi::nghttp2_session_client_new2)
    }

    fn new(settings: &Settings, constructor: setup::Constructor) -> Result<Self, Fault> {
        let raw = setup::session(constructor, settings.client, callbacks::table::<H>)?;
        let mut session = Self { raw, handler: PhantomData };
        session.actions().introduce(settings)?;
        Ok(session)
    }

    /// What may be done at any time, also inside of a callback.
    pub(crate) fn actions(&mut self) -> Actions<'_> {
        Actions::new::<H>(self.raw.as_ptr())
    }

    /// Takes what was read; the handler hears of it before this returns.
    pub(crate) fn receive(&mut self, handler: &mut H, input: &[u8]) -> Result<(), Fault> {
        let raw = self.raw.as_ptr();
        // SAFETY: `input` is valid for its length and only read; the session is alive and not in use.
        let receive = || unsafe { ffi::nghttp2_session_mem_recv2(raw, input.as_ptr(), input.len()) };
        let took = self.lend(handler, ptr::null_mut(), receive)?;
        if took < 0 { Err(setup::fault(took)) } else { Ok(()) }
    }

    /// Appends to `output` what is to be written, until it has `bytes_max` or a frame more.
    pub(crate) fn send(&mut self, handler: &mut H, output: &mut Vec<u8>, bytes_max: usize) -> Result<(), Fault> {
        let mut lent = Output::new(std::mem::take(output), bytes_max);
        let sent = self.send_into(handler, &mut lent);
        *output = lent.bytes;
        sent
    }

    fn send_into(&mut self, handler: &mut H, output: &mut Output) -> Result<(), Fault> {
        let raw = self.raw.as_ptr();
        while output.bytes.len() < output.bytes_max {
            let mut piece: *const u8 = ptr::null();
            // SAFETY: the session is alive and not in use; `piece` is a place for one pointer.
            let send = || unsafe { ffi::nghttp2_session_mem_send2(raw, &raw mut piece) };
            let length = self.lend(handler, ptr::from_mut(output), send)?;
            let Ok(length) = usize::try_from(length) else { return Err(setup::fault(length)) };
            output.forget_headless();
            if length == 0 {
                return Ok(());
            }
            // SAFETY: the library promises `length` bytes at `piece` until its next call, which comes after the copy. What
            // its callbacks wrote goes before them: it returns as soon as it has a piece.
            output.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(piece, length) });
        }
        Ok(())
    }

    /// `output` is null, or alive and used by nobody else until this returns.
    fn lend<R>(&mut self, handler: &mut H, output: *mut Output, call: impl FnOnce() -> R) -> Result<R, Fault> {
        let mut lent = Lent { handler: ptr::from_mut(handler), entered: false, panic: None, output };
        // SAFETY: the session is alive. `lent` outlives the call below, and is taken back after it.
        unsafe { ffi::nghttp2_session_set_user_data(self.raw.as_ptr(), (&raw mut lent).cast::<c_void>()) };
        let result = call();
        // SAFETY: as above; from here on the library has no pointer of ours.
        unsafe { ffi::nghttp2_session_set_user_data(self.raw.as_ptr(), ptr::null_mut()) };
        match lent.panic {
            Some(text) => Err(Fault::Panic(text)),
            None => Ok(result),
        }
    }

    /// Neither side has anything more to say.
    pub(crate) fn is_over(&self) -> bool {
        // SAFETY: the session is alive; this reads its state.
        let reads = unsafe { ffi::nghttp2_session_want_read(self.raw.as_ptr()) };
        // SAFETY: as above.
        let writes = unsafe { ffi::nghttp2_session_want_write(self.raw.as_ptr()) };
        reads == 0 && writes == 0
    }
}

impl<H> Drop for Session<H> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the library, is freed once, and no callback is made by freeing.
        unsafe { ffi::nghttp2_session_del(self.raw.as_ptr()) };
    }
}

const CALLBACK_FAILED: c_int = ffi::NGHTTP2_ERR_CALLBACK_FAILURE;
