//! The client under test, and each call that a step can name.

use std::time::Duration;

use decision_sidecar_client::{
    Accepted, Client, DEFAULT_ADDRESS, Decide, Draft, Error, EventCall, Tls, User, Value, VariableError, Variables,
    Watch, connect,
};
use serde_json::{Value as Json, json};

use crate::canonical;
use crate::explained::explanation;
use crate::taken::{Failure, count, default, defaults, map, millis, native, options, revenue, text, texts, timestamp};

/// What `flush` and `wait_ready` wait in a step that does not say; this client is always told.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a call came to: a RESULT, an error of the client, or a mistake of a step or of this program.
type Answer = Result<Result<Json, Error>, Failure>;

/// What of a connection outlives a step.
pub(crate) struct Program {
    pub(crate) client: Client,
    /// Of the connection: this client has it of each call, since the type of what is answered depends on it.
    strict: bool,
    watch: Option<Watch>,
}

/// Give an option to a call when the step has it.
macro_rules! given {
    ($call:ident $(, $option:ident = $value:expr)+) => {
        $(if let Some(value) = $value {
            $call = $call.$option(value);
        })+
    };
}

impl Program {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self { client: connect(DEFAULT_ADDRESS)?, strict: false, watch: None })
    }

    /// One line for one step.
    pub(crate) async fn answer(&mut self, step: &Json) -> Result<Json, Failure> {
        Ok(match self.call(step).await? {
            Ok(result) => json!({"id": step["id"], "result": result}),
            Err(error) => json!({"id": step["id"], "error": canonical::error(&error, step)}),
        })
    }

    async fn call(&mut self, step: &Json) -> Answer {
        match text(step, "call") {
            "connect" => self.connect(step).await,
            "close" => {
                self.client.close().await;
                Ok(Ok(json!("closed")))
            }
            "wait_ready" => {
                let timeout = millis(step, "timeout_ms").unwrap_or(READY_TIMEOUT);
                Ok(self.client.wait_ready(timeout).await.map(Json::from))
            }
            "decide" => self.decide(step).await,
            "decide_for_keys" | "decide_all" => self.decide_several(step).await,
            "decide_many" => self.decide_many(step).await,
            "explain" => self.explain(step).await,
            "variables" => self.variables(step).await,
            "import_events" => self.import_events(step).await,
            "flush" => self.flush(step).await,
            "status" => Ok(self.status().await),
            "watch_next" => Ok(self.watch_next().await),
            "counters" => Ok(Ok(self.counters())),
            _ => match self.event(step)? {
                Ok(sent) => Ok(sent.await.map(|accepted| canonical::accepted(&accepted, step))),
                Err(error) => Ok(Err(error)),
            },
        }
    }

    async fn connect(&mut self, step: &Json) -> Answer {
        self.client.close().await;
        self.watch = None;
        let with = &step["with"];
        let address = std::env::var(format!("SIDECAR_{}", text(step, "to").to_uppercase()))?;
        let mut builder = Client::builder(&address);
        given!(
            builder,
            token = with["token"].as_str(),
            datafile = with["datafile"].as_str(),
            decide_timeout = millis(with, "decide_timeout_ms"),
            event_timeout = millis(with, "event_timeout_ms"),
            tls = with["tls"].as_str().map(tls).transpose()?
        );
        if let Some(events) = with.get("buffer_events_max") {
            builder = builder.buffer_events_max(count(events)?);
        }
        self.strict = with["strict"].as_bool().unwrap_or_default();
        self.client = builder.build()?;
        Ok(Ok(json!("connected")))
    }

    fn is_strict(&self, step: &Json) -> bool {
        step["strict"].as_bool().unwrap_or(self.strict)
    }

    fn asked(&self, step: &Json) -> Result<Decide, Failure> {
        let mut call = self.user(&step["user"])?.decide(text(step, "flag_key")).options(options(step));
        given!(call, decision_id = step["decision_id"].as_str(), timeout = millis(step, "timeout_ms"));
        if let Some(form) = step.get("default") {
            call = call.default(default(text(step, "flag_key"), form)?);
        }
        Ok(call)
    }

    async fn decide(&self, step: &Json) -> Answer {
        let call = self.asked(step)?;
        let answered = if self.is_strict(step) { call.strict().await } else { Ok(call.await) };
        Ok(answered.map(|decision| canonical::decision(&decision, step)))
    }

    async fn decide_several(&self, step: &Json) -> Answer {
        let user = self.user(&step["user"])?;
        let several = match text(step, "call") {
            "decide_all" => user.decide_all(),
            _ => user.decide_for_keys(texts(step, "flag_keys")),
        };
        let mut call = several.options(options(step)).defaults(defaults(step)?);
        given!(call, decision_id = step["decision_id"].as_str(), timeout = millis(step, "timeout_ms"));
        let answered = if self.is_strict(step) { call.strict().await } else { Ok(call.await) };
        Ok(answered.map(|decisions| canonical::decisions(&decisions, step)))
    }

    async fn decide_many(&self, step: &Json) -> Answer {
        let given = step["users"].as_array().ok_or("no users")?;
        let users = given.iter().map(|each| self.user(each)).collect::<Result<Vec<_>, _>>()?;
        let ids = given.iter().map(|each| text(each, "decision_id"));
        let many = self.client.decide_many(users, texts(step, "flag_keys"));
        let mut call = many.decision_ids(ids).options(options(step)).defaults(defaults(step)?);
        given!(call, timeout = millis(step, "timeout_ms"));
        let answered = if self.is_strict(step) { call.strict().await } else { Ok(call.await) };
        let form =
            |listed: Vec<_>| listed.iter().zip(given).map(|(each, user)| canonical::decisions(each, user)).collect();
        Ok(answered.map(form))
    }

    async fn explain(&self, step: &Json) -> Answer {
        let mut call = self.user(&step["user"])?.explain(text(step, "flag_key")).options(options(step));
        given!(call, timeout = millis(step, "timeout_ms"));
        Ok(call.await.map(|explained| explanation(&explained)))
    }

    async fn variables(&self, step: &Json) -> Answer {
        let call = self.asked(step)?;
        let answered = if self.is_strict(step) { call.strict().await } else { Ok(call.await) };
        let decision = match answered {
            Ok(decision) => decision,
            Err(error) => return Ok(Err(error)),
        };
        let wanted = step["read"].as_array().ok_or("nothing to read")?;
        let read = wanted.iter().map(|each| {
            Ok(match read(&decision.variables, each)? {
                Ok(value) => json!({"value": canonical::value(&value)}),
                Err(error) => json!({"error": canonical::variable_error(&error)}),
            })
        });
        Ok(Ok(read.collect::<Result<Vec<_>, Failure>>()?.into()))
    }

    /// One of the six events: to be awaited, or to be kept as a draft.
    fn event(&self, step: &Json) -> Result<Result<Sent, Error>, Failure> {
        let user = self.user(&step["user"])?;
        let (name, category) = (text(step, "name"), text(step, "category"));
        let (properties, traits) = (map(step, "properties")?, map(step, "traits")?);
        Ok(match text(step, "call") {
            "track" => {
                let mut call = user.track(text(step, "event_key")).properties(properties).tags(map(step, "tags")?);
                given!(call, revenue = revenue(step)?);
                sent(call, step)?
            }
            "identify" => sent(user.identify().traits(traits), step)?,
            "page" => sent(user.page(name).category(category).properties(properties), step)?,
            "screen" => sent(user.screen(name).category(category).properties(properties), step)?,
            "group" => sent(user.group(text(step, "group_id")).traits(traits), step)?,
            "alias" => sent(user.alias(text(step, "previous_id")), step)?,
            other => return Err(format!("call is `{other}`, wanted one of clients/conformance/README.md").into()),
        })
    }

    async fn import_events(&self, step: &Json) -> Answer {
        let given = step["events"].as_array().ok_or("no events")?;
        let mut drafts = Vec::new();
        for each in given {
            match self.event(each)? {
                Ok(sent) => drafts.push(sent.draft),
                Err(error) => return Ok(Err(error)),
            }
        }
        let mut call = self.client.import_events(drafts);
        given!(call, include_optimizely = step["include_optimizely"].as_bool());
        if let Some(events) = step.get("batch_events_max") {
            call = call.batch_events_max(count(events)?);
        }
        Ok(call.await.map(|imported| canonical::imported(&imported)).map_err(|broken| broken.error))
    }

    async fn flush(&self, step: &Json) -> Answer {
        let timeout = millis(step, "timeout_ms").unwrap_or(FLUSH_TIMEOUT);
        Ok(self.client.flush(timeout).await.map(|left| {
            let remainders = left.remainders.iter().map(|each| {
                json!({"destination": each.destination, "events": each.events, "pause_reason": each.pause_reason})
            });
            json!({"complete": left.is_complete(), "remainders": remainders.collect::<Vec<_>>()})
        }))
    }

    async fn status(&self) -> Result<Json, Error> {
        let said = self.client.status().await?;
        let warnings = said.warnings.iter().map(|each| {
            json!({
                "path": each.path,
                "description": each.description,
                "disabled_flag_key": each.disabled_flag_key,
            })
        });
        Ok(json!({
            "name": said.name,
            "revision": said.revision,
            "stale": said.stale,
            "from_cache": said.from_cache,
            "warnings": warnings.collect::<Vec<_>>(),
        }))
    }

    async fn watch_next(&mut self) -> Result<Json, Error> {
        let watch = self.watch.get_or_insert_with(|| self.client.watch());
        let change = watch.next().await.transpose()?;
        Ok(json!({"revision": change.map(|each| each.revision).unwrap_or_default()}))
    }

    fn counters(&self) -> Json {
        let counted = self.client.counters();
        json!({
            "decisions_defaulted": counted.decisions_defaulted,
            "events_buffered": counted.events_buffered,
            "events_dropped": counted.events_dropped,
        })
    }

    fn user(&self, given: &Json) -> Result<User, Failure> {
        let mut user = self.client.user(text(given, "user_id")).with_attributes(map(given, "attributes")?);
        given!(user, with_anonymous_id = given["anonymous_id"].as_str(), with_datafile = given["datafile"].as_str());
        if given.get("segments").is_some() {
            user = user.with_segments(texts(given, "segments"));
        }
        for one in given["forced_decisions"].as_array().into_iter().flatten() {
            user = user.with_forced_rule(text(one, "flag_key"), text(one, "variation_key"), text(one, "rule_key"));
        }
        Ok(user)
    }
}

/// An event as a step means it: to be sent, and what would be kept of it.
struct Sent {
    call: std::pin::Pin<Box<dyn Future<Output = Result<Accepted, Error>> + Send>>,
    draft: Draft,
}

impl IntoFuture for Sent {
    type Output = Result<Accepted, Error>;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        self.call
    }
}

fn sent<Kind: Clone + 'static>(mut call: EventCall<Kind>, step: &Json) -> Result<Result<Sent, Error>, Failure> {
    given!(
        call,
        event_id = step["event_id"].as_str(),
        timestamp = timestamp(step)?,
        timeout = millis(step, "timeout_ms")
    );
    call = call.context(map(step, "context")?).integrations(map(step, "integrations")?);
    Ok(call.clone().draft().map(|draft| Sent { call: call.into_future(), draft }))
}

fn read(variables: &Variables, wanted: &Json) -> Result<Result<Value, VariableError>, Failure> {
    let key = text(wanted, "key");
    let default = wanted.get("default").map(native).transpose()?;
    let or = default.as_ref();
    Ok(match text(wanted, "type") {
        "string" => match or.and_then(Value::as_str) {
            Some(default) => variables.string_or(key, default),
            None => variables.string(key),
        }
        .map(Value::from),
        "integer" => match or.and_then(Value::as_i64) {
            Some(default) => variables.integer_or(key, default),
            None => variables.integer(key),
        }
        .map(Value::from),
        "double" => match or.and_then(Value::as_f64) {
            Some(default) => variables.double_or(key, default),
            None => variables.double(key),
        }
        .map(Value::from),
        "boolean" => match or.and_then(Value::as_bool) {
            Some(default) => variables.boolean_or(key, default),
            None => variables.boolean(key),
        }
        .map(Value::from),
        _ => match or {
            Some(default) => variables.json_or(key, default),
            None => variables.json(key),
        }
        .cloned(),
    })
}

fn tls(kind: &str) -> Result<Tls, Failure> {
    let pem = |name: &str| -> Result<Vec<u8>, Failure> { Ok(std::fs::read(std::env::var(name)?)?) };
    let trusting = Tls::new().ca_pem(pem("SIDECAR_CA")?);
    Ok(if kind == "mutual" {
        trusting.identity_pem(pem("SIDECAR_CERTIFICATE")?, pem("SIDECAR_KEY")?)
    } else {
        trusting
    })
}
