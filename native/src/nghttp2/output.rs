//! What is to be written, and how a stream's bytes get there past the library's own buffer. See rule 3 of this module.

use std::ffi::{c_int, c_void};

use libnghttp2_sys as ffi;

use super::callbacks::{slice, with_handler};
use super::{Actions, CALLBACK_FAILED, Handler, Lent, Then};

/// RFC 9113 section 4.1.
const FRAME_HEAD_BYTES: usize = 9;

/// What is to be written, while it is made.
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    pub(super) bytes_max: usize,
    /// Where a DATA frame begins whose head is still to come.
    headless: Option<usize>,
}

impl Output {
    pub(super) fn new(bytes: Vec<u8>, bytes_max: usize) -> Self {
        Self { bytes, bytes_max, headless: None }
    }

    /// A frame that the library took bytes for and then did not send.
    pub(super) fn forget_headless(&mut self) {
        if let Some(start) = self.headless.take() {
            self.bytes.truncate(start);
        }
    }

    /// Begins a frame: room for its head, and its bytes.
    fn begin(&mut self, bytes: &[u8]) {
        self.headless = Some(self.bytes.len());
        self.bytes.reserve(FRAME_HEAD_BYTES + bytes.len());
        self.bytes.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
        self.bytes.extend_from_slice(bytes);
    }

    /// The head of the frame that was begun; false if none was.
    fn end(&mut self, head: &[u8]) -> bool {
        let place = self.headless.take().and_then(|start| self.bytes.get_mut(start..start + FRAME_HEAD_BYTES));
        place.map(|place| place.copy_from_slice(head)).is_some()
    }
}

/// The output that was lent for this call, if one was.
///
/// # Safety
/// `user_data` is as `with_handler` wants it, and what this returned before is not used any more.
unsafe fn output<'a, H: 'a>(user_data: *mut c_void) -> Option<&'a mut Output> {
    let lent = user_data.cast::<Lent<H>>();
    if lent.is_null() {
        return None;
    }
    // SAFETY: alive, as demanded; null, or alive until the library returns.
    unsafe { (*lent).output.as_mut() }
}

/// Puts the head of a DATA frame before its bytes, which `read` has left at the end of the output.
pub(super) unsafe extern "C" fn send_data<H: Handler>(
    _raw: *mut ffi::nghttp2_session,
    _frame: *mut ffi::nghttp2_frame,
    head: *const u8,
    _length: usize,
    _source: *mut ffi::nghttp2_data_source,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: called by the library, with what `Session::lend` set; no other callback runs.
    let Some(output) = (unsafe { output::<H>(user_data) }) else { return CALLBACK_FAILED };
    // SAFETY: the library passes the nine bytes of a head.
    if !output.end(unsafe { slice(head, FRAME_HEAD_BYTES) }) {
        return CALLBACK_FAILED;
    }
    // Why a pause: the library would go on without end, as nothing tells it how much was written.
    if output.bytes.len() < output.bytes_max { 0 } else { ffi::NGHTTP2_ERR_PAUSE }
}

/// A stream's next bytes, to the end of the output.
pub(super) unsafe extern "C" fn read<H: Handler>(
    raw: *mut ffi::nghttp2_session,
    id: i32,
    _place: *mut u8,
    room: usize,
    flags: *mut u32,
    _source: *mut ffi::nghttp2_data_source,
    user_data: *mut c_void,
) -> ffi::nghttp2_ssize {
    // SAFETY: called by the library, with what `Session::lend` set; no other callback runs.
    let Some(output) = (unsafe { output::<H>(user_data) }) else { return CALLBACK_FAILED as isize };
    output.forget_headless();
    let report = |handler: &mut H, session: &mut Actions<'_>| {
        let fill = handler.fill(session, id, room);
        let length = fill.bytes.len();
        assert!(length <= room, "more bytes than a frame has room for");
        if length > 0 {
            output.begin(fill.bytes);
        }
        (length, fill.then)
    };
    // SAFETY: called by the library, with what `Session::lend` set.
    let (length, then) = match unsafe { with_handler::<H, _>(raw, user_data, report) } {
        Ok(filled) => filled,
        Err(error) => return error as isize,
    };
    let direct = if length > 0 { ffi::NGHTTP2_DATA_FLAG_NO_COPY } else { ffi::NGHTTP2_DATA_FLAG_NONE };
    let set = match then {
        Then::Wait if length == 0 => return ffi::NGHTTP2_ERR_DEFERRED as isize,
        Then::More | Then::Wait => ffi::NGHTTP2_DATA_FLAG_NONE,
        Then::Trailers => ffi::NGHTTP2_DATA_FLAG_EOF | ffi::NGHTTP2_DATA_FLAG_NO_END_STREAM,
        Then::End => ffi::NGHTTP2_DATA_FLAG_EOF,
    };
    // SAFETY: the library gives a place for the flags.
    unsafe { *flags |= set | direct };
    isize::try_from(length).expect("at most a frame")
}
