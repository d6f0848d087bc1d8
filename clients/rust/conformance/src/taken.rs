//! What a step says, in the values of Rust: the forms of clients/conformance/README.md, read.

use std::time::{Duration, SystemTime};

use decision_sidecar_client::{DecideOption, Decision, Money, Value};
use serde_json::{Map, Value as Json};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// A VALUE of a step.
pub(crate) fn native(form: &Json) -> Result<Value, Failure> {
    Ok(match form {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::String(text) => Value::String(text.clone()),
        Json::Object(tagged) => tagged_value(tagged)?,
        _ => return Err(format!("value is {form}, wanted one of the forms").into()),
    })
}

fn tagged_value(tagged: &Map<String, Json>) -> Result<Value, Failure> {
    let (tag, inner) = tagged.iter().find(|(tag, _)| *tag != "times").ok_or("value has no tag")?;
    Ok(match (tag.as_str(), inner) {
        ("int", Json::String(digits)) => Value::Int(digits.parse()?),
        ("double", Json::String(text)) => Value::Double(text.parse()?),
        ("repeat", Json::String(text)) => Value::String(text.repeat(count(&tagged["times"])?)),
        ("list", Json::Array(elements)) => Value::List(elements.iter().map(native).collect::<Result<_, _>>()?),
        ("map", Json::Object(entries)) => entries_of(entries)?.into_iter().collect(),
        _ => return Err(format!("value has the tag `{tag}`, wanted one of the forms").into()),
    })
}

/// The entries of a step's map; none when it has no such map.
pub(crate) fn map(step: &Json, name: &str) -> Result<Vec<(String, Value)>, Failure> {
    step[name].as_object().map_or(Ok(Vec::new()), entries_of)
}

fn entries_of(entries: &Map<String, Json>) -> Result<Vec<(String, Value)>, Failure> {
    entries.iter().map(|(key, form)| Ok((key.clone(), native(form)?))).collect()
}

/// A text of a step; empty when it is absent.
pub(crate) fn text<'a>(step: &'a Json, name: &str) -> &'a str {
    step[name].as_str().unwrap_or_default()
}

/// The texts of a step's list; none when it is absent.
pub(crate) fn texts(step: &Json, name: &str) -> Vec<String> {
    let listed = step[name].as_array().into_iter().flatten();
    listed.filter_map(Json::as_str).map(str::to_owned).collect()
}

pub(crate) fn count(form: &Json) -> Result<usize, Failure> {
    Ok(usize::try_from(form.as_u64().ok_or("wanted a whole number")?)?)
}

/// The time that a step gives in milliseconds, if it does.
pub(crate) fn millis(step: &Json, name: &str) -> Option<Duration> {
    step[name].as_u64().map(Duration::from_millis)
}

/// A DEFAULT of a step.
pub(crate) fn default(flag_key: &str, form: &Json) -> Result<Decision, Failure> {
    let enabled = form["enabled"].as_bool().unwrap_or_default();
    let made = Decision::new(flag_key).with_variation(text(form, "variation_key")).with_enabled(enabled);
    Ok(map(form, "variables")?.into_iter().fold(made, |made, (key, value)| made.with_variable(key, value)))
}

/// The DEFAULTs of a step, by flag.
pub(crate) fn defaults(step: &Json) -> Result<Vec<Decision>, Failure> {
    let given = step["defaults"].as_object().into_iter().flatten();
    given.map(|(flag_key, form)| default(flag_key, form)).collect()
}

/// The decide options of a step.
pub(crate) fn options(step: &Json) -> Vec<DecideOption> {
    let all = [
        DecideOption::DisableDecisionEvent,
        DecideOption::EnabledFlagsOnly,
        DecideOption::IgnoreUserProfileService,
        DecideOption::IncludeReasons,
        DecideOption::ExcludeVariables,
    ];
    texts(step, "options").iter().filter_map(|name| all.into_iter().find(|each| each.as_str() == name)).collect()
}

/// The revenue of a step, if it has one.
pub(crate) fn revenue(step: &Json) -> Result<Option<Money>, Failure> {
    let form = &step["revenue"];
    if form.is_null() {
        return Ok(None);
    }
    Ok(Some(Money::new(text(form, "amount"), text(form, "currency"))?))
}

/// The time of a step, if it has one: RFC 3339 in UTC, as `2026-03-01T12:00:00.250Z`.
pub(crate) fn timestamp(step: &Json) -> Result<Option<SystemTime>, Failure> {
    let Some(given) = step["timestamp"].as_str() else { return Ok(None) };
    let wanted = || format!("timestamp is `{given}`, wanted RFC 3339 in UTC");
    let (date, time) = given.strip_suffix('Z').and_then(|rest| rest.split_once('T')).ok_or_else(wanted)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let numbers = |text: &str, by: char| text.split(by).map(str::parse::<u64>).collect::<Result<Vec<_>, _>>();
    let (days, clock) = (numbers(date, '-')?, numbers(time, ':')?);
    let ([year, month, day], [hour, minute, second]) = (days.as_slice(), clock.as_slice()) else {
        return Err(wanted().into());
    };
    let seconds = ((days_since_1970(*year, *month, *day) * 24 + hour) * 60 + minute) * 60 + second;
    let nanos = format!("{fraction:0<9}").parse::<u32>()?;
    Ok(Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)))
}

/// Days of the civil calendar, years counted from March so that a leap day is the last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719_468
}
