//! Making a session: its options, its callbacks, its first SETTINGS.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use libnghttp2_sys as ffi;

use super::Fault;
use crate::limits;

pub(super) type Constructor = unsafe extern "C" fn(
    *mut *mut ffi::nghttp2_session,
    *const ffi::nghttp2_session_callbacks,
    *mut c_void,
    *const ffi::nghttp2_option,
) -> c_int;

/// What we tell the peer first.
pub(crate) struct Settings {
    pub(crate) client: bool,
    pub(crate) streams_max: u32,
    pub(crate) stream_window_bytes: u32,
    pub(crate) connection_window_bytes: u32,
    pub(crate) header_list_bytes_max: u32,
}

/// The library's word for one of its errors.
pub(super) fn fault(code: isize) -> Fault {
    let code = c_int::try_from(code).unwrap_or(ffi::NGHTTP2_ERR_FATAL);
    // SAFETY: takes any number and returns a static string.
    let text = unsafe { CStr::from_ptr(ffi::nghttp2_strerror(code)) };
    Fault::Protocol(text.to_string_lossy().into_owned())
}

pub(super) fn checked(code: c_int) -> Result<(), Fault> {
    if code == 0 { Ok(()) } else { Err(fault(code as isize)) }
}

struct Options(*mut ffi::nghttp2_option);

impl Options {
    fn new(client: bool) -> Result<Self, Fault> {
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is a place for one pointer; it is set when 0 is returned.
        checked(unsafe { ffi::nghttp2_option_new(&raw mut raw) })?;
        // SAFETY: `raw` was just made and is not shared.
        unsafe { ffi::nghttp2_option_set_no_auto_window_update(raw, 1) };
        // SAFETY: see above. Closed streams are of use only for priorities of RFC 7540, which nobody sends.
        unsafe { ffi::nghttp2_option_set_no_closed_streams(raw, 1) };
        // SAFETY: see above.
        unsafe { ffi::nghttp2_option_set_max_settings(raw, limits::SETTINGS_ENTRIES_MAX) };
        // SAFETY: see above.
        unsafe { ffi::nghttp2_option_set_max_outbound_ack(raw, limits::OUTBOUND_ACKS_MAX) };
        // SAFETY: see above.
        unsafe { ffi::nghttp2_option_set_max_continuations(raw, limits::CONTINUATIONS_MAX) };
        // SAFETY: see above. Resets are counted by `pace`, with the caller's clock and limits.
        unsafe { ffi::nghttp2_option_set_stream_reset_rate_limit(raw, u64::MAX, u64::MAX) };
        // SAFETY: see above.
        unsafe { ffi::nghttp2_option_set_glitch_rate_limit(raw, limits::GLITCHES_BURST, limits::GLITCHES_PER_S) };
        if !client {
            // SAFETY: see above. `server::rules` says why.
            unsafe { ffi::nghttp2_option_set_no_http_messaging(raw, 1) };
        }
        Ok(Self(raw))
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: made by `nghttp2_option_new`, freed once.
        unsafe { ffi::nghttp2_option_del(self.0) };
    }
}

struct Callbacks(*mut ffi::nghttp2_session_callbacks);

impl Drop for Callbacks {
    fn drop(&mut self) {
        // SAFETY: made by `nghttp2_session_callbacks_new`, freed once.
        unsafe { ffi::nghttp2_session_callbacks_del(self.0) };
    }
}

pub(super) fn session(
    constructor: Constructor,
    client: bool,
    fill: fn(*mut ffi::nghttp2_session_callbacks),
) -> Result<NonNull<ffi::nghttp2_session>, Fault> {
    let options = Options::new(client)?;
    let mut callbacks = Callbacks(ptr::null_mut());
    // SAFETY: a place for one pointer; it is set when 0 is returned.
    checked(unsafe { ffi::nghttp2_session_callbacks_new(&raw mut callbacks.0) })?;
    fill(callbacks.0);
    let mut raw = ptr::null_mut();
    // SAFETY: a place for one pointer, and objects that are alive; the library copies options and callbacks.
    checked(unsafe { constructor(&raw mut raw, callbacks.0, ptr::null_mut(), options.0) })?;
    NonNull::new(raw).ok_or_else(|| Fault::Protocol("no session was made".to_owned()))
}
