//! The corpus of `tests/hostile`, natively: each reply through the engine and its provider, in virtual time. `tests/browser`
//! has the same corpus, the shipped way.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

use partway::error::{Code, UploadError};
use partway_models::wire::Response;
use partway_simulation::servers::STORE;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, World};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// No case may take longer: two of the longest waits that a server may ask for, and a margin.
const LONGEST_MS: u64 = 45 * 60_000;
/// The browser's side reads no more of an answer and passes it on as empty (`src/web/answer.rs`); the simulation has no such
/// limit of its own.
const MOST: usize = 4 << 20;
/// No case may send more requests than that, unless it says so.
const REQUESTS: usize = 300;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    route: String,
    #[serde(default = "large")]
    size: String,
    #[serde(default)]
    options: Map<String, Value>,
    reply: Reply,
    expect: String,
    requests: Option<usize>,
    only: Option<String>,
    /// The end in a browser, where it differs.
    #[serde(rename = "browser")]
    _browser: Option<String>,
    /// A note for readers of the corpus.
    #[serde(rename = "why")]
    _why: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Reply {
    status: Option<u16>,
    headers: BTreeMap<String, Option<String>>,
    body: Option<Vec<Value>>,
    set: BTreeMap<String, Value>,
    remove: Vec<String>,
    cut: Option<f64>,
    breaks: bool,
    redirect: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    provider: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Anything {
    bodies: BTreeMap<String, Vec<Value>>,
    calls: Vec<AnyCall>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyCall {
    route: String,
    provider: Option<String>,
    #[serde(default = "large")]
    size: String,
    #[serde(default)]
    options: Map<String, Value>,
    expect: BTreeMap<String, String>,
    #[serde(rename = "browser", default)]
    _browser: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Records {
    stages: BTreeMap<String, Stage>,
    cases: Vec<KeptCase>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    route: String,
    skip: u32,
    part: String,
    open: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCase {
    name: String,
    of: Vec<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    arrived: Option<Value>,
    route: Option<String>,
    #[serde(default)]
    reply: Reply,
    expect: String,
}

fn large() -> String {
    "large".into()
}

fn corpus<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hostile").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Joins the pieces of a text.
fn text(pieces: &[Value], truth: &str, count: u32) -> String {
    let piece = |piece: &Value| match (piece, &piece["repeat"], &piece["true"]) {
        (Value::String(text), ..) => text.clone(),
        (_, Value::String(text), _) => text.repeat(piece["times"].as_u64().unwrap() as usize),
        (_, _, Value::String(which)) if which == "all" => truth.into(),
        (_, _, Value::String(_)) => truth.trim_start().strip_prefix('{').unwrap().into(),
        _ if piece["count"] == true => count.to_string(),
        _ => panic!("no piece: {piece}"),
    };
    pieces.iter().map(piece).collect()
}

/// A value with its placeholders for long texts expanded.
fn value(short: &Value) -> Value {
    let times = || short["times"].as_u64().unwrap() as usize;
    match short {
        Value::Object(members) if members.contains_key("repeat") => json!(text(std::slice::from_ref(short), "", 0)),
        Value::Object(members) if members.contains_key("list") => vec![value(&short["list"]); times()].into(),
        Value::Object(members) if members.contains_key("join") => json!(text(short["join"].as_array().unwrap(), "", 0)),
        Value::Object(members) if members.contains_key("names") => {
            (0..short["names"].as_u64().unwrap()).map(|at| (format!("x-{at}"), json!("x"))).collect()
        }
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), value(member))).collect(),
        Value::Array(items) => items.iter().map(value).collect(),
        plain => plain.clone(),
    }
}

/// Sets values by JSON Pointer.
fn set(json: &mut Value, changes: &BTreeMap<String, Value>) {
    for (pointer, new) in changes {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            *json = value(new);
            continue;
        };
        match json.pointer_mut(parent) {
            Some(Value::Object(members)) => drop(members.insert(name.into(), value(new))),
            Some(Value::Array(items)) => match items.get_mut(name.parse::<usize>().unwrap()) {
                Some(item) => *item = value(new),
                None => panic!("{pointer}: there are {} of them", items.len()),
            },
            _ => panic!("{pointer} isn't in {json:.300}"),
        }
    }
}

fn remove(json: &mut Value, pointers: &[String]) {
    for pointer in pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let gone = json.pointer_mut(parent).and_then(Value::as_object_mut).and_then(|members| members.remove(name));
        assert!(gone.is_some(), "{pointer} isn't there");
    }
}

impl Reply {
    fn fault(&self) -> Fault {
        if self.redirect {
            // A redirect that isn't followed gives the page an empty answer.
            return Fault::ResetBefore;
        }
        if self.breaks {
            return Fault::ResetAfter;
        }
        let refused = self.status.is_some_and(|status| !(200..300).contains(&status));
        let (reply, count) = (self.clone(), Cell::new(0));
        let change = move |response: &mut Response| {
            count.set(count.get() + 1);
            reply.change(response, count.get());
        };
        if !refused {
            return Fault::Edit(Rc::new(change));
        }
        let mut response = Response::empty(200);
        change(&mut response);
        Fault::Answer { response, readable: true }
    }

    fn change(&self, response: &mut Response, count: u32) {
        let truth = response.text();
        response.status = self.status.unwrap_or(response.status);
        for (name, value) in &self.headers {
            response.headers.remove(name);
            if let Some(value) = value {
                response.headers.insert(name, value);
            }
        }
        let body = match (&self.body, self.cut) {
            (Some(pieces), _) => text(pieces, &truth, count),
            (None, Some(cut)) => truth[..(truth.len() as f64 * cut) as usize].into(),
            (None, None) if self.set.is_empty() && self.remove.is_empty() => truth,
            (None, None) => {
                let mut json = response.json_body();
                set(&mut json, &self.set);
                remove(&mut json, &self.remove);
                json.to_string()
            }
        };
        response.body = if body.len() > MOST { Vec::new() } else { body.into_bytes() };
    }
}

fn provider(name: &str, options: &Map<String, Value>) -> Value {
    let mut provider = match name {
        "ofauth" => json!({ "baseUrl": "/api/ofauth" }),
        "onlymonster" => json!({ "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" }),
        "apifansly" => json!({ "baseUrl": "/api/apifansly", "accountId": "2002" }),
        "s3" => json!({
            "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true, "key": "a key.mp4",
        }),
        "plan" => json!({}),
        "form" => json!({ "url": "/api/form/upload", "parse": "job" }),
        other => panic!("no provider: {other}"),
    };
    provider["name"] = json!(name);
    for (name, value) in options {
        provider[name] = value.clone();
    }
    provider
}

fn upload_options() -> Value {
    json!({ "retry": { "attempts": 2, "baseMs": 1, "capMs": 1 } })
}

fn file(world: &World, size: &str) -> File {
    match size {
        "small" => world.real_file("clip.mp4", 1_000),
        _ => world.file("clip.mp4", 24 << 20),
    }
}

/// Checks an error: it has a message, can be printed, and isn't `internal`.
fn is_clear(error: &UploadError) -> Result<(), String> {
    let vendor = error.vendor.clone().unwrap_or_default();
    let texts = [Some(&error.message), error.hint.as_ref(), vendor.code.as_ref(), vendor.message.as_ref()];
    let longest = texts.into_iter().flatten().map(|text| text.chars().count()).max().unwrap_or(0);
    match error.code {
        Code::Internal | Code::Cancelled => Err(format!("{error:?}")),
        _ if error.message.is_empty() => Err("it has no message".into()),
        _ if longest > 2_000 => Err(format!("it has a text of {longest} letters")),
        _ => Ok(()),
    }
}

fn judge(upload: &Handle, expected: &str) -> Result<(), String> {
    let (told, clear) = match upload.result() {
        Some(Ok(_)) => ("done", Ok(())),
        Some(Err(error)) => (error.code.as_str(), is_clear(&error)),
        None => ("nothing", Ok(())),
    };
    clear?;
    if told == expected { Ok(()) } else { Err(format!("{told} in place of {expected}")) }
}

/// Runs a case and then an ordinary upload: no reply may delay the page's next upload.
fn run(name: &str, case: &Case) -> Result<(), String> {
    let world = World::new(1);
    world.fault(&case.route, 0, None, case.reply.fault());
    let mut options = provider(name, &case.options);
    // The models' processing takes time.
    options["pollTimeoutMs"] = json!(30_000);
    let upload = world.upload(options, upload_options(), &file(&world, &case.size));
    world.try_run()?;
    judge(&upload, &case.expect)?;
    let (requests, most) = (world.log().records.len(), case.requests.unwrap_or(REQUESTS));
    if world.count(&case.route) == 0 {
        return Err(format!("{} was never asked", case.route));
    }
    if requests > most {
        return Err(format!("{requests} requests"));
    }
    if world.elapsed() > LONGEST_MS {
        return Err(format!("it took {} s", world.elapsed() / 1000));
    }
    world.mend();
    let next = world.upload(provider(name, &Map::new()), upload_options(), &file(&world, "large"));
    world.try_run()?;
    judge(&next, "done").map_err(|why| format!("the next upload: {why}"))?;
    if world.elapsed() > 2 * LONGEST_MS {
        Err(format!("the next upload took {} s", world.elapsed() / 1000))
    } else {
        Ok(())
    }
}

/// Runs cases, and says at the end which of them failed.
fn all<T>(cases: Vec<(String, T)>, run: impl Fn(&T) -> Result<(), String>) {
    let count = cases.len();
    let wanted = std::env::var("HOSTILE").unwrap_or_default();
    let failed: Vec<String> = cases
        .into_iter()
        .filter(|(name, _)| name.contains(&wanted))
        .filter_map(|(name, case)| {
            let broken = catch_unwind(AssertUnwindSafe(|| run(&case))).unwrap_or_else(|_| Err("it panicked".into()));
            broken.err().map(|why| format!("{name}: {why}"))
        })
        .collect();
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
}

fn destination(file: &str) {
    let corpus: Destination = corpus(file);
    let mine = |case: &Case| case.only.as_deref().is_none_or(|only| only == "native");
    let name = |case: &Case| format!("{} {}: {}", case.route, case.size, case.name);
    all(corpus.cases.into_iter().filter(mine).map(|case| (name(&case), case)).collect(), |case| {
        run(&corpus.provider, case)
    });
}

#[test]
fn ofauth() {
    destination("ofauth.json");
}

#[test]
fn onlymonster() {
    destination("onlymonster.json");
}

#[test]
fn apifansly() {
    destination("apifansly.json");
}

#[test]
fn s3() {
    destination("s3.json");
}

#[test]
fn plan() {
    destination("plan.json");
}

#[test]
fn form() {
    destination("form.json");
}

#[test]
fn what_makes_no_sense_anywhere() {
    let Anything { bodies, calls } = corpus("any.json");
    let mut cases = Vec::new();
    for call in &calls {
        let who = call.route.split(':').next().unwrap();
        let whose = if ["store", "credentials"].contains(&who) { "s3" } else { who };
        let whose = call.provider.as_deref().unwrap_or(whose).to_string();
        for (name, body) in &bodies {
            let case = Case {
                name: name.clone(),
                route: call.route.clone(),
                size: call.size.clone(),
                options: call.options.clone(),
                reply: Reply { body: Some(body.clone()), ..Reply::default() },
                expect: call.expect.get(name).unwrap_or(&call.expect["*"]).clone(),
                requests: None,
                only: None,
                _browser: None,
                _why: None,
            };
            cases.push((format!("{} {}: {name}", call.route, call.size), (whose.clone(), case)));
        }
    }
    all(cases, |(name, case)| run(name, case));
}

#[test]
fn sessions_that_were_kept() {
    let Records { stages, cases } = corpus("records.json");
    let each = cases.iter().flat_map(|case| {
        let stages = &stages;
        case.of.iter().map(move |name| (format!("{name}: {}", case.name), (name, &stages[name], case)))
    });
    all(each.collect(), |(name, stage, case)| go_on(name, stage, case));
}

/// Lets a session be saved, changes the saved record, and resumes the upload from it.
fn go_on(name: &str, stage: &Stage, case: &KeptCase) -> Result<(), String> {
    let world = World::new(1);
    let (session, file) = (world.session(), file(&world, "large"));
    let mut options = provider(name, &Map::new());
    options["pollTimeoutMs"] = json!(5_000);
    world.fault(&stage.route, stage.skip, None, Fault::status(500));
    let first = world.uploader(upload_options()).begin(options, &file, Some(session), Beginning::New);
    world.try_run()?;
    let mut kept = world.kept(session).ok_or_else(|| format!("nothing was kept: {:?}", first.code()))?;
    let record = kept.record.as_mut().ok_or("no record was kept")?;
    set(record, &case.set);
    if let Some(arrived) = &case.arrived {
        kept.parts = (0..).zip(value(arrived).as_array().unwrap().iter().cloned()).collect();
    }
    world.mend();
    if let Some(route) = &case.route {
        world.fault(route, 0, None, case.reply.fault());
    }
    let (opened, parts, from) = (world.count(&stage.open), world.count(&stage.part), world.elapsed());
    let next = world.uploader(upload_options()).begin(
        provider(name, &Map::new()),
        &file,
        Some(session),
        Beginning::Kept(kept),
    );
    world.try_run()?;
    let expected = if ["restarted", "kept"].contains(&case.expect.as_str()) { "done" } else { &case.expect };
    judge(&next, expected)?;
    if let Some(route) = case.route.as_ref().filter(|route| world.count(route) == 0) {
        return Err(format!("{route} was never asked"));
    }
    let (restarted, requests) = (world.count(&stage.open) > opened, world.count("*"));
    if restarted != (case.expect == "restarted") {
        return Err(format!("opened again: {restarted}"));
    }
    if world.elapsed() - from > LONGEST_MS || requests > REQUESTS {
        return Err(format!("{requests} requests, {} s", (world.elapsed() - from) / 1000));
    }
    if let Some(Ok(result)) = next.result() {
        let pieces = world.try_pieces(&result)?;
        partway_simulation::check::is_file(&file, &pieces)?;
        let sent = world.count(&stage.part) - parts;
        if !restarted
            && case.name == "as it was kept"
            && !["apifansly", "form"].contains(&name)
            && sent + stage.skip as usize != result.parts as usize
        {
            return Err(format!("{sent} parts were sent, of {}", result.parts));
        }
    }
    Ok(())
}
