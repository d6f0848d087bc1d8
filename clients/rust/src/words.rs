//! The closed vocabularies of the contract: enums whose variants have the contract's numbers and words.

/// An enum of the contract. A number that this client does not know is `Unspecified`, never an error.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            /// Not said, or by a word of a newer sidecar that this client does not know.
            #[default]
            Unspecified = 0,
            $($(#[$doc])* $variant = $number,)+
        }

        impl $name {
            /// The word of the contract, as in the sidecar's logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Unspecified => "UNSPECIFIED",
                    $(Self::$variant => $word,)+
                }
            }

            #[allow(dead_code, reason = "a word that is only sent is never read")]
            pub(crate) const fn of(number: i32) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    _ => Self::Unspecified,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::pb;

    #[test]
    fn every_number_has_the_word_of_the_contract() {
        macro_rules! same {
            ($ours:ty, $theirs:ty, $prefix:literal, $count:literal) => {
                for number in 0..$count {
                    let theirs = <$theirs>::try_from(number).expect("a number of the contract").as_str_name();
                    assert_eq!(<$ours>::of(number).as_str(), theirs.strip_prefix($prefix).unwrap());
                }
                assert!(<$theirs>::try_from($count).is_err(), "the contract has more");
            };
        }
        same!(crate::Reason, pb::DecisionReason, "DECISION_REASON_", 15);
        same!(crate::RuleType, pb::RuleType, "RULE_TYPE_", 5);
        same!(crate::OutcomeState, pb::OutcomeState, "OUTCOME_STATE_", 3);
        same!(crate::DecideOption, pb::DecideOption, "DECIDE_OPTION_", 6);
        same!(crate::explanation::RuleResult, pb::RuleResult, "RULE_RESULT_", 8);
        same!(crate::explanation::ConditionKind, pb::ConditionKind, "CONDITION_KIND_", 6);
        same!(crate::explanation::Truth, pb::Truth, "TRUTH_", 4);
    }
}
