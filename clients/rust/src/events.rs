//! Events as a caller sees them: money, and what became of an event that was accepted.
//!
//! The meaning of each field is fixed by proto/sidecar/v1/event.proto.

use std::fmt;

use crate::errors::{Error, Invalid};
use crate::words::words;

/// The digits of an amount; the contract's bound.
const DIGITS_MAX: usize = 30;

/// An exact amount in major units (dollars, not cents) and its ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    pub(crate) amount: String,
    pub(crate) currency: String,
}

impl Money {
    /// An amount by its decimal text: `Money::new("19.90", "USD")`. Never by a float, which is not exact.
    ///
    /// # Errors
    ///
    /// The amount is no decimal of at most 30 digits, or the currency no three letters in upper case.
    pub fn new(amount: impl Into<String>, currency: impl Into<String>) -> Result<Self, Invalid> {
        let (amount, currency) = (amount.into(), currency.into());
        let digits = amount.strip_prefix('-').unwrap_or(&amount);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|each| each.is_ascii_digit());
        let count = whole.len() + fraction.map_or(0, str::len);
        if !all_digits(whole) || !fraction.is_none_or(all_digits) || count > DIGITS_MAX {
            let wanted = format!("wanted a decimal of at most {DIGITS_MAX} digits, as `19.90`");
            return Err(Invalid(format!("revenue amount is `{amount}`, {wanted}")));
        }
        if currency.len() != 3 || !currency.bytes().all(|each| each.is_ascii_uppercase()) {
            return Err(Invalid(format!("revenue currency is `{currency}`, wanted an ISO 4217 code as `USD`")));
        }
        Ok(Self { amount, currency })
    }

    /// An amount by its exact decimal.
    ///
    /// # Errors
    ///
    /// The currency is no three letters in upper case.
    #[cfg(feature = "rust_decimal")]
    pub fn from_decimal(amount: rust_decimal::Decimal, currency: impl Into<String>) -> Result<Self, Invalid> {
        Self::new(amount.to_string(), currency)
    }

    /// The amount, as a decimal.
    #[must_use]
    pub fn amount(&self) -> &str {
        &self.amount
    }

    /// The currency, as `USD`.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

words! {
    /// Whether a destination will get the event.
    OutcomeState {
        /// Written, and to be delivered at least once.
        Queued = 1 "QUEUED",
        /// Not for this destination; the reason says why.
        Skipped = 2 "SKIPPED",
    }
}

/// What became of an event at one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The destination's configured name.
    pub destination: String,
    /// Queued or skipped.
    pub state: OutcomeState,
    /// Empty when all of it is queued, else why not, or what was left out.
    pub reason: String,
}

/// An event that is written and will be delivered at least once, under this id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The event's name for ever.
    pub event_id: String,
    /// One for each destination, in configured order.
    pub outcomes: Vec<Outcome>,
    /// This sidecar made an impression, for this user, of an experiment that the event measures: a hint that only
    /// `track` gives, and false says nothing.
    pub exposure_seen_here: bool,
    /// No sidecar took it yet: this client keeps it in memory, to send it later.
    pub buffered: bool,
}

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// Events accepted, repeats included.
    pub accepted: u64,
    /// Accepted events whose id was accepted before, and which are not queued again.
    pub repeated: u64,
    /// Batches of which no event is accepted.
    pub refused: Vec<RefusedBatch>,
    /// The different outcomes of the accepted ones, with how many events had each.
    pub outcomes: Vec<(Outcome, u64)>,
}

/// Events of an import that the sidecar refused together, and why.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedBatch {
    /// The place of its first event among all that were given, from 0.
    pub first_index: u64,
    /// How many they are.
    pub events: u64,
    /// Why; its violations count from `first_index`: `events[2].user_id` is event `first_index + 2`.
    pub error: Error,
}

/// An import that broke off, after `imported`; the rest starts at its `accepted` plus the events of its `refused`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ImportError {
    /// Why no sidecar takes the next batch.
    pub error: Error,
    /// What became of the events before.
    pub imported: Imported,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the import broke off after {} accepted events: {}", self.imported.accepted, self.error)
    }
}

impl std::error::Error for ImportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_the_digits_that_it_was_given() {
        for amount in ["19.90", "-0.01", "1", "123456789012345678.901234567890"] {
            assert_eq!(Money::new(amount, "USD").unwrap().amount(), amount);
        }
    }

    #[test]
    fn what_is_no_exact_amount_of_a_currency_is_refused_with_what_was_wanted() {
        for amount in ["", "-", "1.", ".5", "1e3", "1,50", "NaN", "+1", "1.0.0", "1234567890123456789012345678901"] {
            let error = Money::new(amount, "USD").unwrap_err().to_string();
            assert!(error.starts_with(&format!("revenue amount is `{amount}`, wanted a decimal")), "{error}");
        }
        for currency in ["", "usd", "US", "USDT", "U$D"] {
            let error = Money::new("1", currency).unwrap_err().to_string();
            assert_eq!(error, format!("revenue currency is `{currency}`, wanted an ISO 4217 code as `USD`"));
        }
    }

    #[cfg(feature = "rust_decimal")]
    #[test]
    fn money_from_a_decimal_is_exact() {
        let amount = rust_decimal::Decimal::new(1990, 2);
        assert_eq!(Money::from_decimal(amount, "USD"), Money::new("19.90", "USD"));
    }
}
