//! Bytes that all connections of the process together may hold.
//!
//! What counts: unfinished requests, messages of streams that were handed over and not yet `consumed`, replies that
//! wait to be written. Windows bound one stream and `streams_max` one connection; only this bounds a thousand
//! connections that each start a large upload and stop. Who asks for more than is left is refused, never delayed:
//! a delay would let callers who hold bytes without progress starve all others.
//!
//! **A share.** A connection may hold at most [`FREE_TIMES`] what it leaves free. So one peer that takes no replies holds
//! two thirds at most, a second one two thirds of the rest, and whoever holds little finds room whatever the others hold.
//! It is the dynamic threshold of shared packet buffers (Choudhury and Hahne, 1998), which wants no count of the hungry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A connection holds at most so many times what it leaves free. Why two: one alone may hold two thirds, which is above
/// the largest reply and the largest request; with one it would be half, which is not.
const FREE_TIMES: usize = 2;

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    bytes_held: AtomicUsize,
}

/// A bound in bytes, shared by the connections of the process. Clones are the same budget.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

impl Budget {
    /// A budget of which nothing is held yet.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Shared { bytes_max, bytes_held: AtomicUsize::new(0) }))
    }

    /// What is held now, by all connections.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.0.bytes_held.load(Ordering::Relaxed)
    }
}

/// What one connection holds of the budget; gives all back when the connection goes.
///
/// Why relaxed atomics: the number guards no other memory.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Budget,
    held: usize,
}

impl Account {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, held: 0 }
    }

    /// Claims bytes; false when the budget has no room for this connection, and then nothing was claimed.
    #[must_use]
    pub(crate) fn claim(&mut self, bytes: usize) -> bool {
        let shared = &self.budget.0;
        let mine = self.held.saturating_add(bytes);
        let within = |held: usize| {
            let sum = held.checked_add(bytes)?;
            let free = shared.bytes_max.checked_sub(sum)?;
            (mine <= free.saturating_mul(FREE_TIMES)).then_some(sum)
        };
        if shared.bytes_held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_err() {
            return false;
        }
        self.held += bytes;
        true
    }

    pub(crate) fn release(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.held, "released more than was claimed");
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.budget.0.bytes_held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.release(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_one_budget_share_its_bound_and_give_back_what_they_held() {
        let budget = Budget::new(100);
        let mut one = Account::new(budget.clone());
        let mut two = Account::new(budget.clone());
        assert!(one.claim(60) && two.claim(20));
        assert!(!two.claim(10));
        one.release(30);
        assert!(two.claim(10));
        drop(one);
        assert_eq!(budget.bytes_held(), 30);
        drop(two);
        assert_eq!(budget.bytes_held(), 0);
    }

    #[test]
    fn one_connection_holds_two_thirds_at_most() {
        let budget = Budget::new(99);
        let mut account = Account::new(budget.clone());
        while account.claim(1) {}
        assert_eq!(budget.bytes_held(), 66);
    }

    #[test]
    fn a_newcomer_finds_room_however_many_hold_all_they_can() {
        let budget = Budget::new(64 << 20);
        let mut hungry: Vec<_> = (0..900).map(|_| Account::new(budget.clone())).collect();
        while hungry.iter_mut().filter_map(|account| account.claim(16 << 10).then_some(())).count() > 0 {}
        assert!(Account::new(budget).claim(16 << 10));
    }

    #[test]
    fn a_claim_beyond_all_numbers_is_refused() {
        let budget = Budget::new(usize::MAX);
        let mut account = Account::new(budget);
        assert!(account.claim(usize::MAX / 2));
        assert!(!account.claim(usize::MAX));
    }
}
