//! The functions that the library calls. Each finds the handler that was lent, and catches its panics.

use std::ffi::{c_int, c_void};

use libnghttp2_sys as ffi;

use crate::guard;

use super::{Actions, CALLBACK_FAILED, Control, Handler, Lent, output};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;

/// Registers everything below.
pub(super) fn table<H: Handler>(callbacks: *mut ffi::nghttp2_session_callbacks) {
    // SAFETY: `callbacks` is alive, and the functions have the types that the library names.
    unsafe { ffi::nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Some(begin_frame::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_send_data_callback(callbacks, Some(output::send_data::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Some(begin_headers::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_header_callback(callbacks, Some(header::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Some(frame_received::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, Some(invalid::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Some(chunk::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Some(closed::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Some(sent::<H>)) };
    // SAFETY: see above.
    unsafe { ffi::nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Some(not_sent::<H>)) };
}

/// Runs `body` with the handler that was lent for this call.
///
/// # Safety
/// `raw` is the session that calls back, and `user_data` what it was given: null, or a `Lent<H>` that is alive.
pub(super) unsafe fn with_handler<H: Handler, R>(
    raw: *mut ffi::nghttp2_session,
    user_data: *mut c_void,
    body: impl FnOnce(&mut H, &mut Actions<'_>) -> R,
) -> Result<R, c_int> {
    let lent = user_data.cast::<Lent<H>>();
    // SAFETY: null or alive, as this function demands; nobody else has a reference to it while the library runs.
    let Some(lent) = (unsafe { lent.as_mut() }) else { return Err(CALLBACK_FAILED) };
    if lent.entered || lent.panic.is_some() {
        return Err(CALLBACK_FAILED);
    }
    lent.entered = true;
    // SAFETY: lent from a `&mut H` that is not used until the library returns; `entered` keeps this the only borrow.
    let handler = unsafe { &mut *lent.handler };
    let result = guard::caught(|| body(handler, &mut Actions::new::<H>(raw)));
    lent.entered = false;
    result.map_err(|text| {
        lent.panic = Some(text);
        CALLBACK_FAILED
    })
}

fn code(result: Result<(), c_int>) -> c_int {
    result.err().unwrap_or(0)
}

/// # Safety
/// The frame is a GOAWAY, and is kept as long as `'a`.
unsafe fn goaway<'a>(frame: *const ffi::nghttp2_frame) -> (u32, &'a [u8]) {
    // SAFETY: demanded above.
    let goaway = unsafe { (*frame).goaway };
    // SAFETY: the bytes are of the frame.
    (goaway.error_code, unsafe { slice(goaway.opaque_data, goaway.opaque_data_len) })
}

/// # Safety
/// As of the library: null with a length of 0, or valid for `length` bytes for as long as `'a`.
pub(super) unsafe fn slice<'a>(start: *const u8, length: usize) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    // SAFETY: demanded above.
    unsafe { std::slice::from_raw_parts(start, length) }
}

unsafe extern "C" fn begin_frame<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    head: *const ffi::nghttp2_frame_hd,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes a whole head.
    let head = unsafe { *head };
    if head.type_ != PRIORITY || head.stream_id != 0 {
        return 0;
    }
    let report = |handler: &mut H, session: &mut Actions<'_>| handler.control(session, Control::PriorityOfNone);
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, report) })
}

unsafe extern "C" fn begin_headers<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    frame: *const ffi::nghttp2_frame,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes a whole frame; every variant begins with its head.
    let id = unsafe { (*frame).hd.stream_id };
    // SAFETY: this callback is of HEADERS alone, as nobody may push.
    let first = unsafe { (*frame).headers.cat } != ffi::NGHTTP2_HCAT_HEADERS;
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, |handler, session| handler.headers_begun(session, id, first)) })
}

unsafe extern "C" fn header<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    frame: *const ffi::nghttp2_frame,
    name: *const u8,
    name_length: usize,
    value: *const u8,
    value_length: usize,
    _flags: u8,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: as in `begin_headers`.
    let id = unsafe { (*frame).hd.stream_id };
    // SAFETY: the library keeps both until this returns.
    let name = unsafe { slice(name, name_length) };
    // SAFETY: as above.
    let value = unsafe { slice(value, value_length) };
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, |handler, session| handler.header(session, id, name, value)) })
}

unsafe extern "C" fn frame_received<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    frame: *const ffi::nghttp2_frame,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: as in `begin_headers`.
    let head = unsafe { (*frame).hd };
    let last = head.flags & END_STREAM != 0;
    let acknowledges = head.flags & ACK != 0;
    let id = head.stream_id;
    let report = |handler: &mut H, session: &mut Actions<'_>| match head.type_ {
        DATA if last => handler.data_ended(session, id),
        HEADERS => handler.headers_ended(session, id, last),
        RST_STREAM => handler.control(session, Control::Reset),
        SETTINGS if !acknowledges => handler.control(session, Control::Settings),
        PING if acknowledges => handler.control(session, Control::PingAcknowledged),
        PING => handler.control(session, Control::Ping),
        GOAWAY => {
            // SAFETY: the head says that this is the variant, and the frame is kept until this returns.
            let (code, text) = unsafe { goaway(frame) };
            handler.control(session, Control::GoAway { code, text });
        }
        _ => (),
    };
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, report) })
}

unsafe extern "C" fn invalid<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    frame: *const ffi::nghttp2_frame,
    _error: c_int,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: as in `begin_headers`.
    let head = unsafe { (*frame).hd };
    let report = |handler: &mut H, session: &mut Actions<'_>| {
        // SAFETY: the head says that this is the variant, and the frame is kept until this returns.
        let said = (head.type_ == GOAWAY).then(|| unsafe { goaway(frame) });
        let frame = said.map_or(Control::Invalid, |(code, text)| Control::GoAwayInvalid { code, text });
        handler.control(session, frame);
    };
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, report) })
}

unsafe extern "C" fn chunk<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    _flags: u8,
    id: i32,
    start: *const u8,
    length: usize,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the library keeps the bytes until this returns: they are of the input.
    let bytes = unsafe { slice(start, length) };
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, |handler, session| handler.chunk(session, id, bytes)) })
}

unsafe extern "C" fn closed<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    id: i32,
    error_code: u32,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, |handler, session| handler.closed(session, id, error_code)) })
}

unsafe extern "C" fn sent<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    frame: *const ffi::nghttp2_frame,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: as in `begin_headers`.
    let head = unsafe { (*frame).hd };
    let report = |handler: &mut H, session: &mut Actions<'_>| match head.type_ {
        DATA | HEADERS if head.flags & END_STREAM != 0 => handler.ended(session, head.stream_id, false),
        GOAWAY => {
            // SAFETY: the head says that this is the variant, and the frame is kept until this returns.
            let (code, text) = unsafe { goaway(frame) };
            handler.control(session, Control::GoAwaySent { code, text });
        }
        _ => (),
    };
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, report) })
}

unsafe extern "C" fn not_sent<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    frame: *const ffi::nghttp2_frame,
    _error: c_int,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: as in `begin_headers`.
    let head = unsafe { (*frame).hd };
    if head.type_ != HEADERS {
        return 0;
    }
    let report = |handler: &mut H, session: &mut Actions<'_>| handler.ended(session, head.stream_id, true);
    // SAFETY: called by the library, with what `Session::lend` set.
    code(unsafe { with_handler::<H, _>(raw, user_data, report) })
}
