//! Decisions as a caller sees them, by the words of the contract. Nothing here knows protobuf or a socket.
//!
//! The meaning of each field is fixed by proto/sidecar/v1/decision.proto.

use crate::value::Value;
use crate::variables::Variables;
use crate::words::words;

words! {
    /// The step that settled a decision; `SidecarUnavailable` is this client's own.
    Reason {
        /// Bucketed into a variation of an experiment rule.
        Bucketed = 1 "BUCKETED",
        /// A delivery rule of the flag's rollout took the user.
        Rollout = 2 "ROLLOUT",
        /// Every rule was tried and none took the user.
        NoRuleMatched = 3 "NO_RULE_MATCHED",
        /// The datafile has no such flag.
        FlagNotFound = 4 "FLAG_NOT_FOUND",
        /// The flag is disabled alone, since it could not be compiled from the datafile.
        FlagInvalid = 5 "FLAG_INVALID",
        /// A forced decision for the whole flag.
        FlagForced = 6 "FLAG_FORCED",
        /// A forced decision for one rule.
        RuleForced = 7 "RULE_FORCED",
        /// Held out: the variation is the holdout's.
        Holdout = 8 "HOLDOUT",
        /// A forced variation that was set at the sidecar.
        ForcedVariation = 9 "FORCED_VARIATION",
        /// The experiment's whitelist names the user.
        Whitelisted = 10 "WHITELISTED",
        /// The user's sticky profile holds the variation.
        Sticky = 11 "STICKY",
        /// A contextual bandit was skipped and no other rule took the user.
        CmabUnsupported = 12 "CMAB_UNSUPPORTED",
        /// Of the older surface: there is no such experiment.
        ExperimentNotFound = 13 "EXPERIMENT_NOT_FOUND",
        /// Of the older surface: the experiment does not run.
        ExperimentNotRunning = 14 "EXPERIMENT_NOT_RUNNING",
        /// No answer: this is the caller's default, and `reasons` says what went wrong.
        SidecarUnavailable = -1 "SIDECAR_UNAVAILABLE",
    }
}

words! {
    /// The kind of rule that decided; unspecified when none did.
    RuleType {
        /// An experiment rule of a flag, and a forced decision.
        FeatureTest = 1 "FEATURE_TEST",
        /// A delivery rule, and no decision.
        Rollout = 2 "ROLLOUT",
        /// A holdout.
        Holdout = 3 "HOLDOUT",
        /// An experiment asked for by its own key.
        Experiment = 4 "EXPERIMENT",
    }
}

words! {
    /// How to decide, by the names of Optimizely's SDKs; added to the sidecar's default options.
    DecideOption {
        /// Record no impression.
        DisableDecisionEvent = 1 "DISABLE_DECISION_EVENT",
        /// Answer only flags that are enabled.
        EnabledFlagsOnly = 2 "ENABLED_FLAGS_ONLY",
        /// Neither read nor save sticky profiles.
        IgnoreUserProfileService = 3 "IGNORE_USER_PROFILE_SERVICE",
        /// Fill `reasons` with the whole walk, not with problems alone.
        IncludeReasons = 4 "INCLUDE_REASONS",
        /// Leave `variables` empty.
        ExcludeVariables = 5 "EXCLUDE_VARIABLES",
    }
}

/// What one flag is for one user. An empty text means none.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Decision {
    /// The flag.
    pub flag_key: String,
    /// The variation the user gets.
    pub variation_key: String,
    /// Whether the flag is on for the user.
    pub enabled: bool,
    /// The flag's variables, typed.
    pub variables: Variables,
    /// The rule that decided.
    pub rule_key: String,
    /// The kind of that rule.
    pub rule_type: RuleType,
    /// The step that settled it, for programs.
    pub reason: Reason,
    /// The id of the experiment, delivery rule or holdout.
    pub experiment_id: String,
    /// The id of the variation.
    pub variation_id: String,
    /// How it came about, in English, for people.
    pub reasons: Vec<String>,
    /// The revision of the datafile; empty in a default.
    pub revision: String,
    /// The name of this decision; empty in a default.
    pub decision_id: String,
    /// Why this is the caller's default, by the word of the error, as `UNAVAILABLE`; empty when it was answered.
    pub error_reason: String,
}

impl Decision {
    /// A flag that is off: a default to be answered without a sidecar, or a decision of the fake, made by `with_…`.
    #[must_use]
    pub fn new(flag_key: impl Into<String>) -> Self {
        let flag_key = flag_key.into();
        let variables = Variables { flag_key: flag_key.clone(), ..Variables::default() };
        Self { flag_key, variables, ..Self::default() }
    }

    /// The same with this variation.
    #[must_use]
    pub fn with_variation(mut self, variation_key: impl Into<String>) -> Self {
        self.variation_key = variation_key.into();
        self
    }

    /// The same with the flag on, or off.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The same with this variable added, or replaced.
    #[must_use]
    pub fn with_variable(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.variables.values.insert(key.into(), value.into());
        self
    }

    /// The same decided by this rule.
    #[must_use]
    pub fn with_rule(mut self, rule_key: impl Into<String>, rule_type: RuleType) -> Self {
        self.rule_key = rule_key.into();
        self.rule_type = rule_type;
        self
    }

    /// The same for this reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }
}

/// The decisions of one call, in the order of the request or of the datafile.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Decisions {
    /// One for each flag answered.
    pub decisions: Vec<Decision>,
    /// The revision that all of them were made with; empty without an answer.
    pub revision: String,
    /// The name of these decisions; empty without an answer.
    pub decision_id: String,
    /// Why these are the caller's defaults; empty when they were answered.
    pub error_reason: String,
}

impl Decisions {
    /// The decision of one flag; none when it was not asked for, or filtered.
    #[must_use]
    pub fn get(&self, flag_key: &str) -> Option<&Decision> {
        self.decisions.iter().find(|each| each.flag_key == flag_key)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Decision> {
        self.decisions.iter()
    }
}

impl IntoIterator for Decisions {
    type Item = Decision;
    type IntoIter = std::vec::IntoIter<Decision>;

    fn into_iter(self) -> Self::IntoIter {
        self.decisions.into_iter()
    }
}

impl<'a> IntoIterator for &'a Decisions {
    type Item = &'a Decision;
    type IntoIter = std::slice::Iter<'a, Decision>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
