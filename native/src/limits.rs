//! Every bound, with its default and its relation to the others.
//!
//! What a caller may set is in [`Limits`]; what follows from the protocol or from how the code works is a constant.

/// Unsent acknowledgements of SETTINGS and PING before the peer is cut off. Source: CVE-2019-9512, CVE-2019-9515.
pub(crate) const OUTBOUND_ACKS_MAX: usize = 1_000;
/// Entries of one SETTINGS frame. RFC 9113 defines six.
pub(crate) const SETTINGS_ENTRIES_MAX: usize = 32;
/// CONTINUATION frames of one header block. Source: CVE-2024-28182. 8 × 16 KiB are above every header limit in use.
pub(crate) const CONTINUATIONS_MAX: usize = 8;
/// Header lists up to so many times the limit are refused call by call; beyond, the connection ends. Source: the "HPACK
/// bomb", CVE-2016-1544: few bytes on the wire, many when decoded.
pub(crate) const HEADER_LIST_KILL_FACTOR: usize = 4;
/// Each field of a header list counts so much beyond its bytes. Source: RFC 9113 section 6.5.2.
pub(crate) const FIELD_OVERHEAD_BYTES: usize = 32;
/// Frames without use (to closed streams, empty DATA, PRIORITY, unknown types): burst and rate per second of nghttp2's
/// own count. Why so high: a 17 MiB upload that is refused early is 1,100 of them, from an honest client.
pub(crate) const GLITCHES_BURST: u64 = 10_000;
/// See [`GLITCHES_BURST`].
pub(crate) const GLITCHES_PER_S: u64 = 2_000;
/// SETTINGS frames of a peer: burst and rate. grpc's flow control probing sends a few per second at most.
pub(crate) const SETTINGS_BURST: u32 = 200;
/// See [`SETTINGS_BURST`].
pub(crate) const SETTINGS_PER_S: f64 = 20.0;
/// A connection whose preface and SETTINGS have not come by then ends.
pub(crate) const PREFACE_MAX_S: f64 = 20.0;
/// Between the two GOAWAYs of a connection that is idle or old. Source: gRPC A9; a round trip would do, this covers a
/// slow reader.
pub(crate) const GOAWAY_STEP_S: f64 = 1.0;
/// A message body grows by so much at first: the length that a peer announces is a claim, not a fact.
pub(crate) const BODY_FIRST_BYTES: usize = 16 * 1024;
/// A peer that names no `MAX_HEADER_LIST_SIZE` takes so much of trailers. Source: gRPC's default of 8 KiB, everywhere.
pub(crate) const TRAILERS_BYTES_MAX: usize = 8 * 1024;
/// `grpc-message` is cut there, so that a status always arrives.
pub(crate) const STATUS_MESSAGE_BYTES_MAX: usize = 1024;

/// Bounds of one connection.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A message received, decompressed. A server's methods have their own, see `Methods`. Default 4 MiB.
    pub message_bytes_max: usize,
    /// A header list as RFC 9113 section 6.5.2 counts it. Default 64 KiB.
    pub header_list_bytes_max: usize,
    /// Calls of the peer at a time. Default 1,000.
    pub streams_max: u32,
    /// What a peer may send on one stream before `consumed`. Default 4 MiB + 64 KiB: a whole message flows at once.
    pub stream_window_bytes: u32,
    /// The same for all streams together; given back on arrival. Default 16 MiB.
    pub connection_window_bytes: u32,
    /// `send` says "wait" when so much of one call is queued. Default 1 MiB.
    pub queued_bytes_high: usize,
    /// … and WRITABLE comes when it fell to that. Default 256 KiB.
    pub queued_bytes_low: usize,
    /// Calls that the peer may cancel at once before it is cut off. Default 20,000.
    pub resets_burst: u32,
    /// … and per second for ever. Default 5,000: an honest client cancels 2,500; each costs us two microseconds.
    pub resets_per_s: f64,
    /// A peer's pings without calls between them must be so far apart, less a tenth. Default 10 s.
    pub ping_interval_min_s: f64,
    /// Pings that come sooner are forgiven so often. Default 2, as gRPC A8.
    pub pings_too_early_max: u32,
    /// We ping a peer of which nothing was read for so long; None = never. Default 60 s.
    pub keepalive_after_s: Option<f64>,
    /// … and give it up when nothing comes for so long after. Default 20 s.
    pub keepalive_timeout_s: f64,
    /// A connection without calls ends after so long; None = never (the default).
    pub idle_max_s: Option<f64>,
    /// A connection ends after so long; None = never (the default). Who wants jitter gives each connection its own.
    pub age_max_s: Option<f64>,
    /// … and calls under way may take so much longer. Default 10 s.
    pub age_grace_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 << 20,
            header_list_bytes_max: 64 << 10,
            streams_max: 1_000,
            stream_window_bytes: (4 << 20) + (64 << 10),
            connection_window_bytes: 16 << 20,
            queued_bytes_high: 1 << 20,
            queued_bytes_low: 256 << 10,
            resets_burst: 20_000,
            resets_per_s: 5_000.0,
            ping_interval_min_s: 10.0,
            pings_too_early_max: 2,
            keepalive_after_s: Some(60.0),
            keepalive_timeout_s: 20.0,
            idle_max_s: None,
            age_max_s: None,
            age_grace_s: 10.0,
        }
    }
}

impl Limits {
    /// What is wrong with these limits, if anything.
    ///
    /// # Errors
    /// Names the field, what it is and what was wanted.
    pub fn check(&self) -> Result<(), String> {
        let window = 65_535..=0x7fff_ffff;
        if !window.contains(&self.stream_window_bytes) {
            return Err(format!("stream_window_bytes is {}, wanted 65535 to 2147483647", self.stream_window_bytes));
        }
        if !window.contains(&self.connection_window_bytes) {
            return Err(format!(
                "connection_window_bytes is {}, wanted 65535 to 2147483647",
                self.connection_window_bytes
            ));
        }
        if self.queued_bytes_low >= self.queued_bytes_high {
            return Err(format!(
                "queued_bytes_low is {}, wanted less than queued_bytes_high, {}",
                self.queued_bytes_low, self.queued_bytes_high
            ));
        }
        if self.streams_max == 0 {
            return Err("streams_max is 0, wanted at least 1".to_owned());
        }
        if u32::try_from(self.header_list_bytes_max).is_err() {
            return Err(format!("header_list_bytes_max is {}, wanted less than 4 GiB", self.header_list_bytes_max));
        }
        Ok(())
    }
}
