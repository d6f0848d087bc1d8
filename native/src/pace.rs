//! What depends on time: how often a peer may do a thing, when a connection is pinged, is idle, is old.
//!
//! Times are arguments, in seconds of a clock that does not go back; one that does counts as no time passed.

use crate::limits::{self, Limits};

/// So many at once, and so many per second for ever.
#[derive(Debug)]
pub(crate) struct Bucket {
    level: f64,
    burst: f64,
    per_s: f64,
    at_s: f64,
}

impl Bucket {
    pub(crate) fn new(burst: u32, per_s: f64, now_s: f64) -> Self {
        let burst = f64::from(burst);
        Self { level: burst, burst, per_s, at_s: now_s }
    }

    /// Takes one; false when there is none.
    pub(crate) fn take(&mut self, now_s: f64) -> bool {
        self.level = (self.level + (now_s - self.at_s).max(0.0) * self.per_s).min(self.burst);
        self.at_s = now_s;
        if self.level < 1.0 {
            return false;
        }
        self.level -= 1.0;
        true
    }
}

/// Whether a peer pings too often. Source: gRPC A8, "Server Enforcement": a ping sooner than the minimum after the
/// last one is a strike; DATA or HEADERS sent by the server forgive all strikes; one strike too many ends it.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    last_s: Option<f64>,
    too_early: u32,
}

impl Pings {
    /// We sent something of a call: the peer may be probing because of it.
    pub(crate) fn forgive(&mut self) {
        self.last_s = None;
        self.too_early = 0;
    }

    /// Counts a ping; false = one too many.
    pub(crate) fn allow(&mut self, now_s: f64, limits: &Limits) -> bool {
        // Why a tenth less: an honest client's timer and the way here jitter, and its pings are exactly so far apart.
        let distance_min_s = limits.ping_interval_min_s * 0.9;
        let too_early = self.last_s.is_some_and(|last_s| now_s - last_s < distance_min_s);
        self.last_s = Some(now_s);
        self.too_early += u32::from(too_early);
        self.too_early <= limits.pings_too_early_max
    }
}

/// What `Lifetime::due` wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Ping,
    /// The peer does not answer.
    Dead(&'static str),
    /// Say that the end is near; the reason is for the log.
    AnnounceEnd,
    End,
    /// Calls under way had their time.
    Cut,
}

/// The clock of one connection.
#[derive(Debug)]
pub(crate) struct Lifetime {
    born_s: f64,
    read_s: f64,
    /// Since when there is no call.
    idle_since_s: Option<f64>,
    introduced: bool,
    pinged_s: Option<f64>,
    announced_s: Option<f64>,
    ended: bool,
}

impl Lifetime {
    pub(crate) fn new(now_s: f64) -> Self {
        Self {
            born_s: now_s,
            read_s: now_s,
            idle_since_s: Some(now_s),
            introduced: false,
            pinged_s: None,
            announced_s: None,
            ended: false,
        }
    }

    pub(crate) fn introduced(&mut self) {
        self.introduced = true;
    }

    /// Something was read: the peer is alive.
    pub(crate) fn read(&mut self, now_s: f64) {
        self.read_s = now_s;
        self.pinged_s = None;
    }

    pub(crate) fn busy(&mut self, calls_open: usize, now_s: f64) {
        if calls_open > 0 {
            self.idle_since_s = None;
        } else if self.idle_since_s.is_none() {
            self.idle_since_s = Some(now_s);
        }
    }

    /// The first thing that is due by now. Call again until None.
    pub(crate) fn due(&mut self, limits: &Limits, now_s: f64) -> Option<Due> {
        if !self.introduced && now_s >= self.born_s + limits::PREFACE_MAX_S {
            return Some(Due::Dead("no preface came in time"));
        }
        if self.pinged_s.is_some_and(|pinged_s| now_s >= pinged_s + limits.keepalive_timeout_s) {
            return Some(Due::Dead("a keepalive ping was not answered in time"));
        }
        if self.announced_s.is_some_and(|at_s| now_s >= at_s + limits::GOAWAY_STEP_S + limits.age_grace_s) {
            return Some(Due::Cut);
        }
        if !self.ended && self.announced_s.is_some_and(|at_s| now_s >= at_s + limits::GOAWAY_STEP_S) {
            self.ended = true;
            return Some(Due::End);
        }
        if self.announced_s.is_none() && self.retires_s(limits).is_some_and(|at_s| now_s >= at_s) {
            self.announced_s = Some(now_s);
            return Some(Due::AnnounceEnd);
        }
        if self.pinged_s.is_none() && limits.keepalive_after_s.is_some_and(|after_s| now_s >= self.read_s + after_s) {
            self.pinged_s = Some(now_s);
            return Some(Due::Ping);
        }
        None
    }

    /// When `due` may have something next.
    pub(crate) fn next_s(&self, limits: &Limits) -> Option<f64> {
        let preface_s = (!self.introduced).then_some(self.born_s + limits::PREFACE_MAX_S);
        let ping_s = match self.pinged_s {
            Some(pinged_s) => Some(pinged_s + limits.keepalive_timeout_s),
            None => limits.keepalive_after_s.map(|after_s| self.read_s + after_s),
        };
        let end_s = match self.announced_s {
            Some(at_s) if self.ended => Some(at_s + limits::GOAWAY_STEP_S + limits.age_grace_s),
            Some(at_s) => Some(at_s + limits::GOAWAY_STEP_S),
            None => self.retires_s(limits),
        };
        [preface_s, ping_s, end_s].into_iter().flatten().reduce(f64::min)
    }

    fn retires_s(&self, limits: &Limits) -> Option<f64> {
        let old_s = limits.age_max_s.map(|max_s| self.born_s + max_s);
        let idle_s = limits.idle_max_s.zip(self.idle_since_s).map(|(max_s, since_s)| since_s + max_s);
        [old_s, idle_s].into_iter().flatten().reduce(f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(3, 2.0, 0.0);
        let given = |bucket: &mut Bucket, now_s| (0..10).filter(|_| bucket.take(now_s)).count();
        assert_eq!(given(&mut bucket, 0.0), 3);
        assert_eq!(given(&mut bucket, 1.0), 2);
        assert_eq!(given(&mut bucket, 100.0), 3);
    }

    #[test]
    fn a_clock_that_goes_back_is_one_that_stands() {
        let mut bucket = Bucket::new(1, 1.0, 10.0);
        assert!(bucket.take(10.0));
        assert!(!bucket.take(0.0));
        assert!(!bucket.take(f64::NAN));
    }
}
