//! Random replies and random saved records: the code that reads them returns a valid value or an error. Cases are few by default;
//! `PROPTEST_CASES` sets their number.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt;
use partway::context::notices::Notice;
use partway::context::shared::SharedState;
use partway::engine::record::{self, SavedSession};
use partway::error::Code;
use partway::http::Url;
use partway::json::{Decode, IdText, Json, StringMap};
use partway::model::settings::Settings;
use partway::platform::Platform;
use partway::providers;
use partway::providers::setup::{ProviderCache, Setup};
use partway_models::wire::Response;
use partway_simulation::platform::SimPlatform;
use partway_simulation::servers::STORE;
use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, World};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const SIZE: u64 = 24 << 20;

/// A fraction of the cases, since a whole upload takes longer than a parser.
fn share(of: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: (usual.cases / of).max(8), failure_persistence: None, ..usual }
}

/// Small JSON values of any kind, with the members of plans more often than others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        (0u64..10).prop_map(|number| json!(number)),
        "\\PC{0,20}".prop_map(|text| json!(text)),
        "(https|http|javascript|data|blob|file)://[a-z.]{0,10}/[a-z?&=%]{0,10}".prop_map(|text| json!(text)),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z".prop_map(|text| json!(text)),
    ];
    let name = "(id|key|parts|size|start|end|url|status|etag|e_tag|media|[a-z]{0,4})";
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..6).prop_map(|members| json!(members)),
        ]
    })
}

/// The JSON Pointers of all members and items of a value.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.into());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            pointers(member, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{here}/{index}"), found));
        }
        _ => {}
    }
}

/// Replaces some members and items of a value.
fn change(mut value: Value, changes: &[(Index, Value)]) -> Value {
    for (at, new) in changes {
        let mut places = Vec::new();
        pointers(&value, "", &mut places);
        if let Some(place) = value.pointer_mut(&places[at.index(places.len())]) {
            *place = new.clone();
        }
    }
    value
}

/// The destinations, each with the calls whose answers are read.
const CALLS: [(&str, &[&str]); 6] = [
    ("ofauth", &["ofauth:check", "ofauth:init", "ofauth:part", "ofauth:single", "ofauth:complete"]),
    (
        "onlymonster",
        &[
            "onlymonster:verify-fan",
            "onlymonster:start",
            "onlymonster:finish",
            "onlymonster:export",
            "onlymonster:list",
        ],
    ),
    ("apifansly", &["apifansly:upload", "apifansly:status"]),
    ("s3", &["store:CreateMultipartUpload", "store:UploadPart", "store:CompleteMultipartUpload", "credentials"]),
    ("plan", &["plan:open", "plan:sign", "plan:complete"]),
    ("form", &["form:upload", "form:status", "hook:parse"]),
];

fn provider(name: &str) -> Value {
    match name {
        "ofauth" => json!({ "name": name, "baseUrl": "/api/ofauth" }),
        "onlymonster" => json!({
            "name": name, "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "message",
            "fanLink": "https://onlyfans.com/alice", "pollTimeoutMs": 20_000,
        }),
        "apifansly" => {
            json!({ "name": name, "baseUrl": "/api/apifansly", "accountId": "2002", "pollTimeoutMs": 20_000 })
        }
        "form" => json!({ "name": name, "url": "/api/form/upload", "parse": "job", "pollTimeoutMs": 20_000 }),
        "s3" => json!({
            "name": name, "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true, "key": "k",
        }),
        _ => json!({ "name": name }),
    }
}

fn options() -> Value {
    json!({ "retry": { "attempts": 2, "baseMs": 1, "capMs": 1 } })
}

/// Runs an upload in which the calls of `route` get another answer; returns what was wrong with it.
fn survives(name: &str, route: &str, small: bool, edit: impl Fn(&mut Response) + 'static) -> Result<(), String> {
    let world = World::new(1);
    world.fault(route, 0, None, Fault::Edit(Rc::new(edit)));
    let file = if small { world.real_file("clip.mp4", 1_000) } else { world.file("clip.mp4", SIZE) };
    let upload = world.upload(provider(name), options(), &file);
    world.try_run()?;
    let servers = world.servers();
    if servers.ofauth.vault_entries() > 1
        || servers.onlymonster.exports() > 1
        || servers.apifansly.uploads_accepted() > 1
        || servers.form.forms_taken() > 1
    {
        return Err("it arrived more than once".into());
    }
    match upload.code() {
        Some(code @ (Code::Internal | Code::Cancelled)) => Err(format!("{code:?}")),
        _ if world.log().records.len() > 300 => Err(format!("{} requests", world.log().records.len())),
        _ => Ok(()),
    }
}

/// The saved session of an upload that failed midway, made once.
fn kept(name: &str) -> SavedSession<Value> {
    let world = World::new(1);
    let (session, file) = (world.session(), world.file("clip.mp4", SIZE));
    let route = match name {
        "ofauth" => "ofauth:part",
        "apifansly" => "apifansly:status",
        "form" => "form:status",
        _ => "store:UploadPart",
    };
    world.fault(route, u32::from(!["apifansly", "form"].contains(&name)), None, Fault::status(500));
    world.uploader(options()).begin(provider(name), &file, Some(session), Beginning::New);
    world.try_run().unwrap();
    let kept = world.kept(session).unwrap();
    SavedSession { record: kept.record.unwrap(), parts: kept.parts.into_values().collect() }
}

thread_local! {
    static KEPT: RefCell<Vec<(&'static str, SavedSession<Value>)>> = RefCell::default();
}

fn kept_once(name: &'static str) -> SavedSession<Value> {
    KEPT.with_borrow_mut(|all| {
        if let Some((_, kept)) = all.iter().find(|(of, _)| *of == name) {
            return kept.clone();
        }
        let kept = kept(name);
        all.push((name, kept.clone()));
        kept
    })
}

fn text_of(json: &Value) -> bool {
    String::decode(Some(json)).is_ok()
}

proptest! {
    #![proptest_config(share(1))]

    #[test]
    fn any_value_is_read_as_what_it_is_or_refused(value in any_json()) {
        let json = Some(&value);
        prop_assert_eq!(text_of(&value), value.is_string());
        prop_assert_eq!(bool::decode(json).ok(), value.as_bool());
        prop_assert_eq!(f64::decode(json).ok(), value.as_f64());
        if let Ok(number) = u64::decode(json) {
            prop_assert_eq!(value.as_f64(), Some(number as f64));
            prop_assert!(number <= 1 << 53);
        }
        if let Ok(number) = i64::decode(json) {
            prop_assert_eq!(value.as_f64(), Some(number as f64));
        }
        prop_assert!(u32::decode(json).is_ok() <= u64::decode(json).is_ok());
        prop_assert_eq!(Vec::<Option<f64>>::decode(json).is_ok(), value.as_array().is_some_and(|items| {
            items.iter().all(|item| item.is_null() || item.is_number())
        }));
        if let Ok(IdText(id)) = IdText::decode(json) {
            prop_assert!(!matches!(id.as_str(), "" | "." | ".."));
        }
        if let Ok(StringMap(pairs)) = StringMap::decode(json) {
            prop_assert_eq!(pairs.len(), value.as_object().unwrap().len());
        }
        let _ = (Notice::decode(json).is_ok(), Settings::decode(json).is_ok());
    }

    #[test]
    fn any_text_is_json_as_serde_has_it_or_none(text in "[\\[\\]{}\",:0-9a-f.eE+\\\\ntrulsN-]{0,30}") {
        let parsed = Value::parse(&text);
        prop_assert_eq!(parsed.is_some(), serde_json::from_str::<Value>(&text).is_ok());
    }

    #[test]
    fn any_address_is_one_of_the_web_or_none(text in "(https?|HTTP|ftp|javascript|data|//|/|)[:/\\\\@]{0,4}[a-z0-9.:@%\\[\\]?#&=-]{0,20}") {
        let world = World::new(1);
        if let Some(url @ Url { .. }) = SimPlatform::of(&world).resolve(&text) {
            prop_assert!(url.origin.starts_with("http://") || url.origin.starts_with("https://"), "{text}: {url:?}");
            let _ = (url.is_safe(), url.without_query(), url.signed_headers(), url.expires_at());
        }
    }

    #[test]
    fn a_record_with_anything_in_it_is_sound_or_none(
        which in 0..CALLS.len(),
        changes in prop::collection::vec((any::<Index>(), any_json()), 0..4),
        part_changes in prop::collection::vec((any::<Index>(), any_json()), 0..4),
        size in prop_oneof![Just(SIZE), 0u64..1 << 53],
    ) {
        let world = World::new(1);
        let (name, _) = CALLS[which];
        let mut kept = kept_once(name);
        kept.record = change(kept.record, &changes);
        let parts = change(Value::from(kept.parts), &part_changes);
        kept.parts = parts.as_array().cloned().unwrap_or_default();
        let platform = SimPlatform::with_options(&world, provider(name));
        let (settings, shared, cache) = (Settings::default(), SharedState::default(), ProviderCache::default());
        let setup = Setup { platform: &platform, settings: &settings, shared: &shared, cache: &cache };
        let made = providers::create(name, &provider(name), &setup).unwrap();
        let read = record::read(&platform, &*made, size, &kept).now_or_never().expect("a short record is read at once");
        if changes.is_empty() {
            prop_assert_eq!(read.is_some(), size == SIZE);
        }
        if let Some((read, replacement)) = read {
            let plan = read.session.plan();
            prop_assert!(replacement.is_some() || plan.size() == size);
            prop_assert_eq!(plan.parts().iter().map(|part| part.range.len()).sum::<u64>(), plan.size());
            for uploaded in &read.progressed.uploaded {
                prop_assert_eq!(plan.part(uploaded.part.number).map(|part| part.range), Some(uploaded.part.range));
            }
        }
    }
}

proptest! {
    #![proptest_config(share(4))]

    #[test]
    fn a_reply_with_anything_in_it_ends_the_upload_or_not(
        (which, call) in (0..CALLS.len(), any::<Index>()),
        small: bool,
        changes in prop::collection::vec((any::<Index>(), any_json()), 1..4),
    ) {
        let (name, calls) = CALLS[which];
        let edit = move |response: &mut Response| {
            response.body = change(response.json_body(), &changes).to_string().into_bytes();
        };
        let ended = survives(name, calls[call.index(calls.len())], small, edit);
        prop_assert_eq!(ended, Ok(()));
    }

    #[test]
    fn a_reply_with_other_letters_in_it_ends_the_upload_or_not(
        (which, call) in (0..CALLS.len(), any::<Index>()),
        small: bool,
        edits in prop::collection::vec((any::<Index>(), 0usize..20, "[\\[\\]{}<>/&;\",:0-9a-z\\PC]{0,10}"), 1..5),
    ) {
        let (name, calls) = CALLS[which];
        let edit = move |response: &mut Response| {
            let mut body: Vec<char> = response.text().chars().collect();
            for (at, gone, new) in &edits {
                let at = at.index(body.len() + 1);
                body.splice(at..(at + gone).min(body.len()), new.chars());
            }
            response.body = body.into_iter().collect::<String>().into_bytes();
        };
        let ended = survives(name, calls[call.index(calls.len())], small, edit);
        prop_assert_eq!(ended, Ok(()));
    }

    #[test]
    fn a_session_with_anything_in_it_is_resumed_or_restarted(
        which in 0..CALLS.len(),
        changes in prop::collection::vec((any::<Index>(), any_json()), 1..3),
    ) {
        let (name, _) = CALLS[which];
        let world = World::new(1);
        let (session, file) = (world.session(), world.file("clip.mp4", SIZE));
        let record = change(kept_once(name).record, &changes);
        world.change_kept(session, |kept| kept.record = Some(record));
        let kept = world.kept(session).unwrap();
        let upload = world.uploader(options()).begin(provider(name), &file, Some(session), Beginning::Kept(kept));
        prop_assert_eq!(world.try_run(), Ok(()));
        prop_assert!(!matches!(upload.code(), Some(Code::Internal | Code::Cancelled)), "{:?}", upload.code());
        if let Some(Ok(result)) = upload.result() {
            // Whatever the record said, an upload that succeeds has stored the whole file.
            let pieces = world.try_pieces(&result);
            let whole = pieces.and_then(|pieces| partway_simulation::check::is_file(&file, &pieces));
            prop_assert_eq!(whole, Ok(()));
        }
    }
}
