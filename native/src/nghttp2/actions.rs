//! What may be asked of a session at any time, also inside of a callback. Nothing here calls back.

use std::marker::PhantomData;
use std::ptr;

use libnghttp2_sys as ffi;

use super::output;
use super::setup::{Settings, checked};
use super::{Fault, Handler};

/// A header field to be sent.
#[derive(Clone, Copy)]
pub(crate) enum Field<'a> {
    /// The same in every call: goes to the table of the peer once, one byte after that.
    Fixed(&'static [u8], &'static [u8]),
    /// Of this connection: goes to the peer's table as well.
    Recurring(&'static [u8], &'a [u8]),
    /// A name that recurs with another value each time.
    Fresh(&'static [u8], &'a [u8]),
    /// Of this call alone: never in the table, where it would push out what recurs.
    Once(&'a [u8], &'a [u8]),
}

impl Field<'_> {
    #[expect(clippy::match_same_arms, reason = "one pattern for all would want one lifetime for all")]
    fn name_value(&self) -> (&[u8], &[u8]) {
        match *self {
            Self::Fixed(name, value) => (name, value),
            Self::Recurring(name, value) | Self::Fresh(name, value) => (name, value),
            Self::Once(name, value) => (name, value),
        }
    }

    /// As RFC 9113 section 6.5.2 counts.
    pub(crate) fn list_bytes(&self) -> usize {
        let (name, value) = self.name_value();
        name.len() + value.len() + crate::limits::FIELD_OVERHEAD_BYTES
    }

    fn raw(&self) -> ffi::nghttp2_nv {
        let (name, value) = self.name_value();
        let flags = match self {
            Self::Fixed(..) => ffi::NGHTTP2_NV_FLAG_NO_COPY_NAME | ffi::NGHTTP2_NV_FLAG_NO_COPY_VALUE,
            Self::Recurring(..) => ffi::NGHTTP2_NV_FLAG_NO_COPY_NAME,
            Self::Fresh(..) => ffi::NGHTTP2_NV_FLAG_NO_COPY_NAME | ffi::NGHTTP2_NV_FLAG_NO_INDEX,
            Self::Once(..) => ffi::NGHTTP2_NV_FLAG_NO_INDEX,
        };
        ffi::nghttp2_nv {
            // The library only reads them; its type is not const because it uses it for its own copies, too.
            name: name.as_ptr().cast_mut(),
            value: value.as_ptr().cast_mut(),
            namelen: name.len(),
            valuelen: value.len(),
            flags: u8::try_from(flags).expect("three bits"),
        }
    }
}

/// Runs with the fields as the library wants them. Most lists are short: no allocation then.
fn with_raw<R>(fields: &[Field<'_>], run: impl FnOnce(*const ffi::nghttp2_nv, usize) -> R) -> R {
    const FEW: usize = 8;
    if fields.len() <= FEW {
        let mut few =
            [ffi::nghttp2_nv { name: ptr::null_mut(), value: ptr::null_mut(), namelen: 0, valuelen: 0, flags: 0 }; FEW];
        for (place, field) in few.iter_mut().zip(fields) {
            *place = field.raw();
        }
        run(few.as_ptr(), fields.len())
    } else {
        let many: Vec<_> = fields.iter().map(Field::raw).collect();
        run(many.as_ptr(), many.len())
    }
}

/// A session, for as long as the borrow that it was made under.
pub(crate) struct Actions<'a> {
    raw: *mut ffi::nghttp2_session,
    /// Asks the session's handler for a stream's bytes.
    read: ffi::nghttp2_data_source_read_callback2,
    session: PhantomData<&'a mut ()>,
}

impl Actions<'_> {
    /// `raw` must be alive while the result is.
    pub(super) fn new<H: Handler>(raw: *mut ffi::nghttp2_session) -> Self {
        Self { raw, read: Some(output::read::<H>), session: PhantomData }
    }

    fn provider(&self) -> ffi::nghttp2_data_provider2 {
        ffi::nghttp2_data_provider2 {
            source: ffi::nghttp2_data_source { ptr: ptr::null_mut() },
            read_callback: self.read,
        }
    }

    pub(super) fn introduce(&mut self, settings: &Settings) -> Result<(), Fault> {
        let entry = |id, value| ffi::nghttp2_settings_entry { settings_id: id, value };
        let mut entries = vec![
            entry(ffi::NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.cast_signed(), settings.stream_window_bytes),
            entry(ffi::NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.cast_signed(), settings.header_list_bytes_max),
        ];
        entries.push(if settings.client {
            entry(ffi::NGHTTP2_SETTINGS_ENABLE_PUSH.cast_signed(), 0)
        } else {
            entry(ffi::NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.cast_signed(), settings.streams_max)
        });
        // SAFETY: the session is alive; the entries are copied.
        checked(unsafe { ffi::nghttp2_submit_settings(self.raw, 0, entries.as_ptr(), entries.len()) })?;
        let window = i32::try_from(settings.connection_window_bytes).unwrap_or(i32::MAX);
        // SAFETY: the session is alive.
        checked(unsafe { ffi::nghttp2_session_set_local_window_size(self.raw, 0, 0, window) })
    }

    /// A response: its head alone, which ends the stream, or its head and what `Handler::fill` gives.
    pub(crate) fn respond(&mut self, id: i32, fields: &[Field<'_>], has_body: bool) -> Result<(), Fault> {
        let provider = self.provider();
        let provider = if has_body { &raw const provider } else { ptr::null() };
        with_raw(fields, |raw, length| {
            // SAFETY: the session is alive; fields and provider are copied, but for fields that are static.
            checked(unsafe { ffi::nghttp2_submit_response2(self.raw, id, raw, length, provider) })
        })
    }

    /// A request with messages; returns the id of its stream.
    pub(crate) fn request(&mut self, fields: &[Field<'_>]) -> Result<i32, Fault> {
        let provider = self.provider();
        with_raw(fields, |raw, length| {
            // SAFETY: as in `respond`; no priority and no user data are given.
            let id = unsafe {
                ffi::nghttp2_submit_request2(self.raw, ptr::null(), raw, length, &raw const provider, ptr::null_mut())
            };
            if id < 0 { Err(super::setup::fault(id as isize)) } else { Ok(id) }
        })
    }

    /// The last header block of a stream; after `Then::Trailers`.
    pub(crate) fn trailers(&mut self, id: i32, fields: &[Field<'_>]) -> Result<(), Fault> {
        with_raw(fields, |raw, length| {
            // SAFETY: the session is alive; fields are copied, but for those that are static.
            checked(unsafe { ffi::nghttp2_submit_trailer(self.raw, id, raw, length) })
        })
    }

    /// Asks `Handler::fill` again, after it said `Then::Wait`. Nothing happens if it did not.
    pub(crate) fn resume(&mut self, id: i32) {
        // SAFETY: the session is alive; any id may be named. An error says that there was nothing to resume.
        let _ = unsafe { ffi::nghttp2_session_resume_data(self.raw, id) };
    }

    pub(crate) fn reset(&mut self, id: i32, code: u32) {
        // SAFETY: the session is alive. The one error besides lack of memory is a stream id of 0.
        let _ = unsafe { ffi::nghttp2_submit_rst_stream(self.raw, 0, id, code) };
    }

    /// The sender on this stream may send so much more. Of a stream that is gone: nothing happens.
    pub(crate) fn credit_stream(&mut self, id: i32, bytes: usize) {
        // SAFETY: the session is alive; any id may be named.
        let _ = unsafe { ffi::nghttp2_session_consume_stream(self.raw, id, bytes) };
    }

    /// The peer may send so much more, over all streams.
    pub(crate) fn credit_connection(&mut self, bytes: usize) {
        // SAFETY: the session is alive.
        let _ = unsafe { ffi::nghttp2_session_consume_connection(self.raw, bytes) };
    }

    pub(crate) fn ping(&mut self) {
        // SAFETY: the session is alive; no opaque bytes are given.
        let _ = unsafe { ffi::nghttp2_submit_ping(self.raw, 0, ptr::null()) };
    }

    /// "No more calls soon": GOAWAY with the highest id. RFC 9113 section 6.8.
    pub(crate) fn announce_goaway(&mut self) {
        // SAFETY: the session is alive; in the role of a client this is refused, and not called.
        let _ = unsafe { ffi::nghttp2_submit_shutdown_notice(self.raw) };
    }

    /// GOAWAY with the last id that was taken.
    pub(crate) fn goaway(&mut self, code: u32, text: &str) {
        // SAFETY: the session is alive.
        let last = unsafe { ffi::nghttp2_session_get_last_proc_stream_id(self.raw) };
        // SAFETY: the session is alive; the text is copied.
        let _ = unsafe { ffi::nghttp2_submit_goaway(self.raw, 0, last, code, text.as_ptr(), text.len()) };
    }

    /// How large a header list the peer takes, as RFC 9113 section 6.5.2 counts.
    pub(crate) fn peer_header_list_bytes_max(&self) -> u32 {
        // SAFETY: the session is alive.
        unsafe { ffi::nghttp2_session_get_remote_settings(self.raw, ffi::NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE) }
    }

    /// The peer has sent its last frame on this stream.
    pub(crate) fn peer_ended(&self, id: i32) -> bool {
        // SAFETY: the session is alive; -1, for a stream that is not there, counts as ended.
        unsafe { ffi::nghttp2_session_get_stream_remote_close(self.raw, id) != 0 }
    }

    /// Another request may be submitted.
    pub(crate) fn takes_requests(&self) -> bool {
        // SAFETY: the session is alive.
        unsafe { ffi::nghttp2_session_check_request_allowed(self.raw) != 0 }
    }
}
