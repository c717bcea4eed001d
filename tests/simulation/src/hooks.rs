//! The application's functions: keys, credentials, and the five of `plan`, with the same line and faults as any request.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use futures::FutureExt;
use futures::future::{Either, select};
use futures::pin_mut;
use partway::error::{Result, Step};
use partway::platform::{Hook, HookFailure, Thrown};
use partway_models::clock::iso8601;
use partway_models::wire::Response;
use serde_json::{Value, json};

use crate::environment::{Cut, Network};
use crate::fault::Fault;
use crate::log::Record;
use crate::platform::SimPlatform;
use crate::servers::{BUCKET, Servers};

/// How long a policy of the application's backend is valid, in seconds.
pub(crate) const POLICY_S: u64 = 300;

/// Something else that a function does.
pub type Replacement = Rc<dyn Fn(&[Value]) -> std::result::Result<Value, HookFailure>>;
type MapUrl = Rc<dyn Fn(&str, Step) -> Result<String>>;

/// What the application gives as functions.
#[derive(Default)]
pub struct Hooks {
    /// Functions of `plan` that it doesn't give.
    pub absent: BTreeSet<Hook>,
    /// Functions that do something else than the world's backend.
    pub replaced: BTreeMap<Hook, Replacement>,
    /// Its `mapUrl`.
    pub map_url: Option<MapUrl>,
    /// How long credentials live, in milliseconds; an hour unless told.
    pub credentials_ms: Option<u64>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("absent", &self.absent).finish_non_exhaustive()
    }
}

impl Hooks {
    pub(crate) fn has(&self, hook: Hook, options: &Value) -> bool {
        if self.replaced.contains_key(&hook) {
            return true;
        }
        match (options["name"].as_str(), hook) {
            (Some("s3"), Hook::Key) => options["key"].is_string(),
            (Some("s3"), Hook::Credentials) => true,
            (Some("plan"), Hook::Key | Hook::Credentials) => false,
            (Some("plan"), Hook::Fields | Hook::Parse | Hook::Job) => false,
            (Some("plan"), hook) => !self.absent.contains(&hook),
            // A text stands for a function of the application's.
            (Some("form"), Hook::Fields | Hook::Parse | Hook::Job) => options[hook.as_str()].is_string(),
            _ => false,
        }
    }
}

/// The name in logs and faults.
fn route(hook: Hook) -> &'static str {
    match hook {
        Hook::Key => "hook:key",
        Hook::Credentials => "credentials",
        Hook::Open => "plan:open",
        Hook::SignParts => "plan:sign",
        Hook::ListParts => "plan:list",
        Hook::Complete => "plan:complete",
        Hook::Abort => "plan:abort",
        Hook::Fields => "form:fields",
        Hook::Parse => "hook:parse",
        Hook::Job => "hook:job",
        Hook::Transform => "hook:transform",
    }
}

fn threw(message: impl Into<String>) -> HookFailure {
    HookFailure { message: message.into(), upload_error: None, kind: Thrown::Anything, cause: None }
}

/// Calls one of them.
pub(crate) async fn call(
    page: SimPlatform,
    hook: Hook,
    arguments: Vec<Value>,
) -> std::result::Result<Value, HookFailure> {
    let core = page.core.clone();
    let ask = Ask::begin(page, hook, arguments);
    let answer = {
        let (way, cut) = (ask.go(), core.environment.next_cut());
        pin_mut!(way);
        match select(way, cut).await {
            Either::Left((answer, _)) => answer,
            Either::Right((_, way)) if hook.is_local() => way.await,
            Either::Right((Cut::Silence, _)) => std::future::pending().await,
            Either::Right((Cut::Reset, _)) => {
                ask.end(0);
                Err(threw("Failed to fetch"))
            }
        }
    };
    core.pass_milestone();
    answer
}

/// One call and its entry in the log.
struct Ask {
    page: SimPlatform,
    hook: Hook,
    arguments: Vec<Value>,
    entry: usize,
    /// Whether its end is settled: it arrived, or never will.
    settled: Cell<bool>,
}

impl Ask {
    fn begin(page: SimPlatform, hook: Hook, arguments: Vec<Value>) -> Self {
        let core = page.core.clone();
        let entry = {
            let mut log = core.log.borrow_mut();
            let record = Record::begun(page.upload, route(hook), core.executor.now());
            log.records.push(Record { json: Some(Value::Array(arguments.clone())), ..record });
            log.records.len() - 1
        };
        core.pass_milestone();
        Self { page, hook, arguments, entry, settled: Cell::new(false) }
    }

    async fn go(&self) -> std::result::Result<Value, HookFailure> {
        let core = &self.page.core;
        if !self.hook.is_local() {
            match core.environment.network() {
                Network::Up => {}
                Network::Silent => {
                    self.settled.set(true);
                    std::future::pending::<()>().await;
                }
                network @ (Network::Gone | Network::Failing) => {
                    self.settled.set(true);
                    let takes = if network == Network::Gone { 1 } else { core.weather.between(200, 4_000) };
                    core.executor.sleep_until(core.executor.now() + takes).await;
                    self.end(0);
                    return Err(threw("Failed to fetch"));
                }
            }
        }
        let drawn = core.script.borrow_mut().draw(route(self.hook), &core.weather);
        // A key is made up in the page.
        if !self.hook.is_local() {
            core.travel().await;
        }
        for fault in &drawn {
            match fault {
                Fault::Answer { response, .. } => {
                    self.settled.set(true);
                    self.end(response.status);
                    let text = response.text();
                    // Read as JSON whatever its status, as some applications do.
                    let kind = if text.starts_with("<!doctype") { Thrown::NotJson } else { Thrown::Anything };
                    let failure = threw(format!("the backend answered {}: {text}", response.status));
                    return Err(HookFailure { kind, ..failure });
                }
                Fault::ResetBefore | Fault::ResetInBody => {
                    self.settled.set(true);
                    self.end(0);
                    return Err(threw("Failed to fetch"));
                }
                Fault::StallInBody => {
                    self.settled.set(true);
                    std::future::pending::<()>().await;
                }
                _ => {}
            }
        }
        self.settled.set(true);
        let mut value = serve_hook(&self.page, self.hook, &self.arguments, self.entry).inspect_err(|_| self.end(0))?;
        core.pass_milestone();
        for fault in &drawn {
            match fault {
                Fault::Edit(change) => {
                    let mut answer = Response::json(200, &value);
                    change(&mut answer);
                    value = answer.json_body();
                }
                Fault::Latency(ms) => core.executor.sleep_until(core.executor.now() + ms).await,
                Fault::StallAnswer => std::future::pending().await,
                Fault::ResetAfter => {
                    self.end(0);
                    return Err(threw("Failed to fetch"));
                }
                _ => {}
            }
        }
        if !self.hook.is_local() {
            core.travel().await;
        }
        self.end(200);
        Ok(value)
    }

    fn end(&self, status: u16) {
        let mut log = self.page.core.log.borrow_mut();
        log.records[self.entry].status = Some(status);
        log.records[self.entry].ended_at = Some(self.page.core.executor.now());
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        let core = &self.page.core;
        let ghosts = core.line.get().ghosts;
        // Whoever let go of it can't call it back.
        if self.settled.get() || ghosts <= 0.0 || self.hook.is_local() || core.weather.unit() >= ghosts {
            return;
        }
        let (own, hook, arguments, entry) = (self.page.clone(), self.hook, self.arguments.clone(), self.entry);
        core.executor.spawn(
            async move {
                own.core.executor.sleep_until(own.core.executor.now() + own.core.line.get().latency.0).await;
                let _ = serve_hook(&own, hook, &arguments, entry);
            }
            .boxed_local(),
        );
    }
}

/// The backend's work.
fn serve_hook(
    page: &SimPlatform,
    hook: Hook,
    arguments: &[Value],
    entry: usize,
) -> std::result::Result<Value, HookFailure> {
    let core = &page.core;
    {
        let mut log = core.log.borrow_mut();
        log.records[entry].whole = true;
        log.records[entry].arrived_at = Some(core.executor.now());
    }
    let replaced = core.hooks.borrow().replaced.get(&hook).cloned();
    let credentials_ms = core.hooks.borrow().credentials_ms.unwrap_or(3_600_000);
    let value = match replaced {
        Some(replaced) => replaced(arguments),
        None => {
            let now = core.server_now();
            let mut servers = core.servers.borrow_mut();
            serve(&mut servers, hook, arguments, (&page.options, credentials_ms), now).map_err(threw)
        }
    };
    core.log.borrow_mut().records[entry].effects += u32::from(value.is_ok());
    value
}

fn serve(
    servers: &mut Servers,
    hook: Hook,
    arguments: &[Value],
    (options, credentials_ms): (&Value, u64),
    now: u64,
) -> std::result::Result<Value, String> {
    let first = arguments.first().cloned().unwrap_or_default();
    let second = arguments.get(1).cloned().unwrap_or_default();
    let Servers { backend, store, secrets, .. } = servers;
    match hook {
        Hook::Key => Ok(options["key"].clone()),
        Hook::Credentials => {
            let issued = store.issue_credentials(credentials_ms, now);
            secrets.push(issued.credentials.secret_key.clone());
            Ok(json!({
                "accessKeyId": issued.credentials.access_key,
                "secretAccessKey": issued.credentials.secret_key,
                "sessionToken": issued.credentials.session_token,
                "expiration": iso8601(issued.expiration),
            }))
        }
        Hook::Open => backend.open(store, &first, now),
        Hook::SignParts => backend.sign(store, &first, &second, now),
        Hook::ListParts => backend.list(store, &first, now),
        Hook::Complete => backend.complete(store, &first, &second, now),
        Hook::Abort => backend.abort(store, &first, now),
        Hook::Fields => {
            let key = options["fields"].as_str().unwrap_or_default();
            let fields = [("key", key), ("success_action_status", "201")];
            let policy = store.post_policy(BUCKET, &fields, u64::MAX, POLICY_S, now);
            Ok(Value::Object(policy.into_iter().map(|(name, value)| (name, json!(value))).collect()))
        }
        Hook::Parse => match options["parse"].as_str() {
            Some("job") if first["job"].is_string() => Ok(json!({ "poll": first["job"] })),
            Some("id") if first["mediaId"].is_string() => Ok(first),
            _ => Err(format!("the reply has no {}", options["parse"])),
        },
        Hook::Job => Ok(first),
        Hook::Transform => Err("transform isn't called so".into()),
    }
}
