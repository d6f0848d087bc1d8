//! How a client connects and how long it waits, checked when it is made; and when a call is tried again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::errors::Invalid;
use crate::grpc::GrpcTransport;

/// Where a sidecar listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8013";

/// When a call that found no sidecar (`UNAVAILABLE`) is tried again, always within its deadline.
///
/// The pause doubles from `pause_min` to `pause_max`, of which a random half is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    pub(crate) attempts_max: u32,
    pause_min: Duration,
    pause_max: Duration,
}

impl Retry {
    /// Of decisions. Why so few: a sidecar that is gone must not cost each request the whole deadline of a decision.
    pub(crate) const DECIDE: Self = Self::new(3, 10, 20);
    /// Of everything else. Why so many: an event has no default, so its deadline is the bound.
    pub(crate) const EVENT: Self = Self::new(20, 20, 200);
    /// Of the buffer, an import and a watch: only the pauses between two tries of the same.
    pub(crate) const STANDING: Self = Self::new(1, 100, 5_000);

    const fn new(attempts_max: u32, pause_min_ms: u64, pause_max_ms: u64) -> Self {
        let (pause_min, pause_max) = (Duration::from_millis(pause_min_ms), Duration::from_millis(pause_max_ms));
        Self { attempts_max, pause_min, pause_max }
    }

    /// How long to wait after so many failures in a row, 1 or more; 0 ≤ jitter < 1.
    pub(crate) fn pause(self, failures: u32, jitter: f64) -> Duration {
        let doubled = self.pause_min * 2_u32.pow(failures.saturating_sub(1).min(16));
        doubled.min(self.pause_max).mul_f64(1.0 - jitter / 2.0)
    }
}

/// Where the bearer token of a call comes from.
#[derive(Clone, Default)]
pub(crate) enum Token {
    #[default]
    None,
    Fixed(String),
    Read(Arc<dyn Fn() -> String + Send + Sync>),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::None) { "none" } else { "given" })
    }
}

/// What a client was told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) address: String,
    pub(crate) token: Token,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::tls::Tls>,
    pub(crate) datafile: String,
    pub(crate) decide_timeout: Duration,
    pub(crate) event_timeout: Duration,
    pub(crate) status_timeout: Duration,
    pub(crate) import_timeout: Duration,
    pub(crate) buffer_events_max: usize,
    pub(crate) buffer_bytes_max: usize,
    pub(crate) reply_bytes_max: usize,
}

impl Settings {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            token: Token::None,
            #[cfg(feature = "tls")]
            tls: None,
            datafile: String::new(),
            decide_timeout: Duration::from_millis(250),
            event_timeout: Duration::from_secs(1),
            status_timeout: Duration::from_secs(5),
            import_timeout: Duration::from_secs(10),
            buffer_events_max: 0,
            buffer_bytes_max: 8 * 1024 * 1024,
            reply_bytes_max: 32 * 1024 * 1024,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let unix = self.address.strip_prefix("unix:").is_some_and(|path| !path.is_empty());
        let tcp = self.address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with('+')
        });
        if !unix && (!tcp || self.address.starts_with("unix:")) {
            return Err(Invalid(format!("address is `{}`, wanted `HOST:PORT` or `unix:PATH`", self.address)));
        }
        for (name, timeout) in [
            ("decide_timeout", self.decide_timeout),
            ("event_timeout", self.event_timeout),
            ("status_timeout", self.status_timeout),
            ("import_timeout", self.import_timeout),
        ] {
            if timeout.is_zero() {
                return Err(Invalid(format!("{name} is 0, wanted more")));
            }
        }
        Ok(())
    }
}

/// The options of a client, each with its default: `Client::builder(address).token("…").build()?`.
#[derive(Clone, Debug)]
#[must_use = "`build` makes the client"]
pub struct ClientBuilder {
    pub(crate) settings: Settings,
}

impl ClientBuilder {
    /// Send this bearer token. Default: none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.settings.token = Token::Fixed(token.into());
        self
    }

    /// Send the bearer token that this function reads; it is asked before every attempt.
    pub fn token_from(mut self, read: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.settings.token = Token::Read(Arc::new(read));
        self
    }

    /// Speak TLS. Default: plain text, since the sidecar listens on loopback or a Unix socket.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::tls::Tls) -> Self {
        self.settings.tls = Some(tls);
        self
    }

    /// The datafile's name or SDK key, for users that name none. Default: the sidecar's default.
    pub fn datafile(mut self, datafile: impl Into<String>) -> Self {
        self.settings.datafile = datafile.into();
        self
    }

    /// How long a call for the decisions of one user may take. Default: 250 ms.
    pub fn decide_timeout(mut self, timeout: Duration) -> Self {
        self.settings.decide_timeout = timeout;
        self
    }

    /// How long an event may take to be accepted. Default: 1 s.
    pub fn event_timeout(mut self, timeout: Duration) -> Self {
        self.settings.event_timeout = timeout;
        self
    }

    /// How long `status`, `explain` and `decide_many` may take. Default: 5 s.
    pub fn status_timeout(mut self, timeout: Duration) -> Self {
        self.settings.status_timeout = timeout;
        self
    }

    /// How long one batch of `import_events` may take. Default: 10 s.
    pub fn import_timeout(mut self, timeout: Duration) -> Self {
        self.settings.import_timeout = timeout;
        self
    }

    /// Keep up to so many events in memory while no sidecar takes them, and send them later, in order. Past it, the
    /// oldest is dropped and counted. Default: 0, so that the call fails instead.
    pub fn buffer_events_max(mut self, events: usize) -> Self {
        self.settings.buffer_events_max = events;
        self
    }

    /// The bytes of those. Default: 8 MiB.
    pub fn buffer_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.buffer_bytes_max = bytes;
        self
    }

    /// The largest reply taken: decisions of many flags for many users need it. Default: 32 MiB.
    pub fn reply_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.reply_bytes_max = bytes;
        self
    }

    /// The client; it connects at its first call.
    ///
    /// # Errors
    ///
    /// An address that is neither `HOST:PORT` nor `unix:PATH`, a timeout of zero, or TLS files that cannot be used.
    pub fn build(self) -> Result<Client, Invalid> {
        self.settings.check()?;
        let transport = GrpcTransport::new(&self.settings)?;
        Ok(Client::over(Arc::new(transport), self.settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_is_refused_with_what_was_wanted() {
        for address in ["", "localhost", ":8013", "host:", "host:0", "host:65536", "host:+1", "unix:"] {
            let error = Client::builder(address).build().expect_err(address).to_string();
            assert_eq!(error, format!("address is `{address}`, wanted `HOST:PORT` or `unix:PATH`"));
        }
        for address in ["127.0.0.1:8013", "[::1]:8013", "host.name:1", "unix:/run/sidecar.sock", "unix:here.sock"] {
            assert!(Client::builder(address).build().is_ok(), "{address}");
        }
    }

    #[test]
    fn a_timeout_of_zero_is_refused() {
        let error = Client::builder(DEFAULT_ADDRESS).event_timeout(Duration::ZERO).build().unwrap_err();
        assert_eq!(error.to_string(), "event_timeout is 0, wanted more");
    }

    #[test]
    fn a_pause_doubles_up_to_its_bound_and_loses_at_most_half() {
        let pauses = [1, 2, 3, 9, 99].map(|failures| Retry::EVENT.pause(failures, 0.0).as_millis());
        assert_eq!(pauses, [20, 40, 80, 200, 200]);
        assert_eq!(Retry::EVENT.pause(1, 0.5).as_millis(), 15);
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", Client::builder(DEFAULT_ADDRESS).token("secret")).contains("secret"));
    }
}
