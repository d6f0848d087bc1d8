//! What both roles have in common: the order of things around the library, time, and how a connection ends.

use std::sync::Arc;

use crate::budget::Account;
use crate::guard;
use crate::limits::Limits;
use crate::metadata::text;
use crate::nghttp2::{Actions, Control, Fault, Handler, Session, Settings};
use crate::pace::{Due, Lifetime};
use crate::status::h2;

/// What a connection of either role knows.
pub(crate) struct Link {
    pub(crate) limits: Arc<Limits>,
    pub(crate) account: Account,
    /// The time of the last `receive` or `tick`.
    pub(crate) now_s: f64,
    life: Lifetime,
    /// Bytes of DATA that came and are not credited to the connection.
    pub(crate) uncredited: usize,
    /// Why the connection ends, once it does.
    pub(crate) failure: Option<String>,
    /// What the peer said when it ended the connection with an error; calls under way may still end well.
    complaint: Option<String>,
}

impl Link {
    pub(crate) fn new(limits: &Arc<Limits>, account: Account, now_s: f64) -> Self {
        let limits = Arc::clone(limits);
        Self { limits, account, now_s, life: Lifetime::new(now_s), uncredited: 0, failure: None, complaint: None }
    }

    /// Ends the connection: GOAWAY, and no more of the peer is listened to.
    pub(crate) fn fail(&mut self, session: &mut Actions<'_>, code: u32, text: &str) {
        if self.failure.is_none() {
            self.failure = Some(text.to_owned());
            session.goaway(code, text);
        }
    }

    /// What a frame of the connection means to either role.
    pub(crate) fn note(&mut self, frame: &Control<'_>) {
        match *frame {
            Control::Settings => self.life.introduced(),
            Control::GoAway { code, text: said } if code != h2::NO_ERROR => {
                let said = format!("the peer ended the connection with code {code}: {}", text(said));
                self.complaint.get_or_insert(said);
            }
            // A client of grpc-go says goodbye with the id of a stream of its own, where RFC 9113 section 6.8 wants one
            // of ours: rude to nobody, so the end of the connection is in order.
            Control::GoAwayInvalid { code: h2::NO_ERROR, .. } => {
                self.failure.get_or_insert_default();
            }
            Control::GoAwayInvalid { code, text: said } => {
                self.failure.get_or_insert(format!("the peer ended the connection with code {code}: {}", text(said)));
            }
            Control::GoAwaySent { code, text: said } if code != h2::NO_ERROR => {
                let said = format!("the connection was ended with code {code}: {}", text(said));
                self.failure.get_or_insert(said);
            }
            _ => (),
        }
    }

    /// Why the connection ends, as far as that is known; else empty.
    pub(crate) fn why(&self) -> &str {
        let failure = self.failure.as_deref().filter(|text| !text.is_empty());
        failure.or(self.complaint.as_deref()).unwrap_or_default()
    }
}

/// What differs between the roles.
pub(crate) trait Role: Handler {
    fn link(&self) -> &Link;
    fn link_mut(&mut self) -> &mut Link;
    fn calls_open(&self) -> usize;
    /// Ends all calls: the connection is gone.
    fn abandon(&mut self);
    /// Asks the peer to begin no more calls, which ends the connection when the last one does.
    fn retire(&mut self, session: &mut Actions<'_>);
}

/// A connection of either role.
pub(crate) struct Connection<C> {
    session: Session<C>,
    pub(crate) core: C,
    /// What `take_output` returned last; its memory is used again.
    output: Vec<u8>,
}

impl<C: Role> Connection<C> {
    pub(crate) fn new(core: C, client: bool) -> Result<Self, String> {
        let limits = Arc::clone(&core.link().limits);
        limits.check()?;
        let settings = Settings {
            client,
            streams_max: limits.streams_max,
            stream_window_bytes: limits.stream_window_bytes,
            connection_window_bytes: limits.connection_window_bytes,
            header_list_bytes_max: u32::try_from(limits.header_list_bytes_max).unwrap_or(u32::MAX),
        };
        let session = if client { Session::client(&settings) } else { Session::server(&settings) };
        Ok(Self { session: session.map_err(Fault::text)?, core, output: Vec::new() })
    }

    pub(crate) fn receive(&mut self, input: &[u8], now_s: f64) {
        self.guarded((), |this| {
            let link = this.core.link_mut();
            if link.failure.is_some() {
                return;
            }
            link.now_s = now_s;
            link.life.read(now_s);
            let received = this.session.receive(&mut this.core, input);
            this.settle(received);
            let bytes = std::mem::take(&mut this.core.link_mut().uncredited);
            if bytes > 0 {
                this.session.actions().credit_connection(bytes);
            }
        });
    }

    /// What is to be written: about `bytes_max`, a frame more at most.
    pub(crate) fn take_output(&mut self, bytes_max: usize) -> &[u8] {
        /// Memory kept for the next time.
        const KEPT_BYTES_MAX: usize = 1 << 20;
        self.output.clear();
        self.output.shrink_to(KEPT_BYTES_MAX);
        self.guarded((), |this| {
            let sent = this.session.send(&mut this.core, &mut this.output, bytes_max);
            this.settle(sent);
        });
        &self.output
    }

    pub(crate) fn tick(&mut self, now_s: f64) -> Option<f64> {
        self.guarded(None, |this| {
            this.core.link_mut().now_s = now_s;
            loop {
                let link = this.core.link_mut();
                if link.failure.is_some() {
                    return None;
                }
                let Some(due) = link.life.due(&link.limits, now_s) else { return link.life.next_s(&link.limits) };
                this.act(due);
            }
        })
    }

    fn act(&mut self, due: Due) {
        let session = &mut self.session.actions();
        let link = self.core.link_mut();
        match due {
            Due::Ping => session.ping(),
            Due::AnnounceEnd => self.core.retire(session),
            Due::End => session.goaway(h2::NO_ERROR, ""),
            Due::Dead(text) => link.fail(session, h2::NO_ERROR, text),
            Due::Cut => link.fail(session, h2::NO_ERROR, "calls outlived the age of the connection"),
        }
        self.settle(Ok(()));
    }

    pub(crate) fn disconnected(&mut self, reason: &str) {
        self.guarded((), |this| {
            this.core.link_mut().failure.get_or_insert_with(|| reason.to_owned());
            this.core.abandon();
        });
    }

    pub(crate) fn closed(&self) -> bool {
        self.core.link().failure.is_some() || self.session.is_over()
    }

    pub(crate) fn failure(&self) -> &str {
        self.core.link().why()
    }

    /// After a call of the library.
    fn settle(&mut self, result: Result<(), Fault>) {
        let link = self.core.link_mut();
        if let Err(fault) = result {
            link.failure.get_or_insert_with(|| fault.text());
        }
        if link.failure.is_some() {
            self.core.abandon();
        }
        let calls_open = self.core.calls_open();
        let link = self.core.link_mut();
        link.life.busy(calls_open, link.now_s);
    }

    /// Runs `body`, and turns a panic into the end of this connection.
    pub(crate) fn guarded<R>(&mut self, otherwise: R, body: impl FnOnce(&mut Self) -> R) -> R {
        match guard::caught(|| body(self)) {
            Ok(result) => result,
            Err(text) => {
                self.core.link_mut().failure.get_or_insert(text);
                // Why a second one: what panicked may have left in disorder what this reads.
                let _ = guard::caught(|| self.core.abandon());
                otherwise
            }
        }
    }

    /// The same for what needs the core and the library, and is of no use once the connection has failed.
    pub(crate) fn with<R>(&mut self, otherwise: R, body: impl FnOnce(&mut C, &mut Actions<'_>) -> R) -> R {
        self.guarded(otherwise, |this| body(&mut this.core, &mut this.session.actions()))
    }
}
