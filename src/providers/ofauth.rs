//! OFAuth: `/v2/access/uploads`, into the OnlyFans vault.
//!
//! Sources: OFAuth's guide "Upload Media", its API reference ("Create upload session", "Upload single-part media and finalize")
//! and its published SDKs. The reference marks init as deprecated and names no successor, so the paths stand in one place.

use std::cell::Cell;

use super::shared::api::{Access, Api, Vendor};
use super::shared::reply::{read, refusal};
use super::{Setup, not_whole, presigned_put, unusable};
use crate::context::integrity;
use crate::context::{Context, Idempotency};
use crate::engine::record::Resumed;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Body, Method, Place, Request, Response, Url, encode_segment};
use crate::json::IdText;
use crate::json::{self, Made, decoded};
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::{Phase, Session};
use crate::platform::Platform;
use crate::provider::{Provider, Receipt};
use crate::util::hex;
use crate::util::text;
use crate::util::time;

/// Hosts: the guide has the first, older SDKs and one reference page the second.
const VENDOR: Vendor = Vendor {
    origins: &["https://api.ofauth.com", "https://api-next.ofauth.com"],
    api_path: "/v2/access/",
    key_header: "apikey",
    key_option: "apiKey",
};

const INIT: &str = "/v2/access/uploads/init";
const CHECK: &str = "/v2/access/uploads/check";
/// No clock is off by more; what ended so long before it began is nonsense.
const YEAR_MS: u64 = 365 * 86_400_000;
const COMPLETE: &str = "/v2/access/uploads/complete";
const UPLOADS: &str = "/v2/access/uploads/";

/// Milliseconds for one more call: 60 a minute, 90 at once, for each connection (OFAuth, "Rate limiting": a token bucket, whose
/// `X-RateLimit-Reset` is when it is full again).
const TOKEN_MS: u64 = 1_000;

/// Files up to this size are one part, so that their ETag is their MD5 and can be asked for before init. The guide's part size;
/// that the vendor's ETags are MD5s is assumed.
const ONE_PART: u64 = 5 << 20;

/// The guide's "Supported Formats", their common spellings among them. The sizes are given as "about".
const TYPES: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "audio/mpeg",
    "audio/mp3",
    "audio/mp4",
    "audio/m4a",
    "audio/x-m4a",
];
const MAX_BYTES: &[(&str, u64)] = &[("image/*", 50 << 20), ("video/*", 5 << 30), ("audio/*", 50 << 20)];

decoded! {
    struct Options {
        base_url: Option<String> = "baseUrl",
        connection_id: Option<String> = "connectionId",
        skip_existing: Option<bool> = "skipExisting",
        api_key: Option<String> = "apiKey",
        dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }
}

decoded! {
    struct InitReply {
        media_upload_id: String = "mediaUploadId",
        upload_type: Option<String> = "uploadType",
        total_parts: Option<u64> = "totalParts",
        expires_at: Option<String> = "expiresAt",
        parts: Option<Vec<InitPart>> = "parts",
        complete_url: Option<String> = "completeUrl",
    }

    struct InitPart {
        part_number: u32 = "partNumber",
        upload_url: String = "uploadUrl",
        byte_range: WireRange = "byteRange",
    }

    struct WireRange {
        start: u64 = "start",
        end: u64 = "end",
    }

    struct PartReply {
        part_number: Option<u32> = "partNumber",
        etag: Option<String> = "etag",
    }

    struct DoneReply {
        media_upload_id: Option<String> = "mediaUploadId",
    }
}

decoded! {
    struct CheckReply {
        exists: bool = "exists",
    }

    struct MediaId {
        id: IdText = "id",
    }
}

/// What an answer that isn't 2xx means. A session that ran out has no published status: whatever the vendor's words call an
/// expired session or upload is taken for one (assumed).
fn meaning<P: Platform>(platform: &P, response: &Response) -> UploadError {
    let mut error = refusal(platform, response);
    if response.status == 429 {
        let now = platform.now();
        let token = response.token_ms(TOKEN_MS, now);
        error = error.retry(Retry::Later(Some(response.retry_after_ms(now).unwrap_or(0).max(token))));
    }
    let words = error.vendor.as_ref().map(|words| {
        text::concat(&[&words.code, &words.message].map(|text| text.as_deref().unwrap_or(""))).to_ascii_lowercase()
    });
    let expired = (400..500).contains(&response.status)
        && words.is_some_and(|words| {
            text::contains(&words, "expired") && (text::contains(&words, "session") || text::contains(&words, "upload"))
        });
    if !expired {
        return error;
    }
    error.renamed(Code::SessionExpired, "OFAuth's upload session has expired.")
}

/// True for the one mode of a vault upload.
fn is_message<P: Platform>(platform: &P, mode: &P::Json) -> bool {
    let mut name = String::new();
    json::fill(platform, Some(mode), &mut name).is_ok() && name == "message"
}

/// True where a part may go there: to the API, or to what was presigned. The vendor's own origin outside its API is neither.
fn may_get_a_file<P: Platform>(platform: &P, place: &Place, url: &Url) -> bool {
    *place != Place::Presigned
        || (url.is_safe_from(&platform.origin()) && !VENDOR.origins.contains(&url.origin.as_str()))
}

/// One upload's dialogue with OFAuth.
///
/// Of a [`Session`] it uses `upload_id` (the `mediaUploadId`), `multipart`, `complete_url` and `expires_at`.
#[derive(Debug)]
pub struct Ofauth<P: Platform> {
    api: Api<P>,
    /// As the caller gave it.
    vault_upload: Option<P::Json>,
    skip_existing: bool,
    /// An earlier page may have completed the upload, and never heard of it.
    in_doubt: Cell<bool>,
    /// The session was kept by an earlier page.
    kept: Cell<bool>,
}

impl<P: Platform> Ofauth<P> {
    /// Reads the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn new(given: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let platform = setup.platform;
        let vault_upload = platform.member(given, "vaultUpload");
        let mode = vault_upload.as_ref().and_then(|vault| platform.member(vault, "mode"));
        if mode.is_some_and(|mode| !is_message(platform, &mode)) {
            return Err(UploadError::new(Code::InvalidOptions, "`vaultUpload.mode` is none that OFAuth has.")
                .hint("OFAuth has one mode: \"message\"."));
        }
        let mut options = Options::default();
        setup.options(given, &mut options)?;
        let access = Access {
            base_url: options.base_url,
            key: options.api_key,
            exposed: options.dangerously_expose_secrets == Some(true),
        };
        let mut api = Api::new(setup, &VENDOR, access, meaning)?;
        let connection = options.connection_id.as_deref().unwrap_or("");
        let pace = text!("ofauth {} {}", api.origins.base.href, connection);
        let pace = setup.shared.rate_limiters.of(&pace, None);
        pace.is_token_bucket(TOKEN_MS);
        api.pace = Some(pace);
        api.add_header("x-connection-id", options.connection_id);
        Ok(Self {
            api,
            vault_upload,
            skip_existing: options.skip_existing != Some(false),
            in_doubt: Cell::default(),
            kept: Cell::default(),
        })
    }

    /// The session that a reply to init describes: by its body, else by its headers.
    fn session(&self, cx: &Context<P>, reply: InitReply, response: &Response) -> Result<Session<P>> {
        let mismatch = |what: String| unusable("OFAuth", &what);
        // It becomes a segment of paths, which dots would lead out of.
        if matches!(reply.media_upload_id.as_str(), "" | "." | "..") {
            return Err(mismatch("Its `mediaUploadId` is none.".into()));
        }
        let id = encode_segment(&reply.media_upload_id);
        let size = cx.file.size;
        let (plan, multipart) = match reply.parts.filter(|parts| !parts.is_empty()) {
            Some(parts) => {
                if let Some(total) = reply.total_parts.filter(|total| *total != parts.len() as u64) {
                    return Err(mismatch(text!("It lists {} parts and counts {}.", parts.len(), total)));
                }
                let multipart = match reply.upload_type.as_deref() {
                    Some("multipart") => true,
                    Some("single") => false,
                    Some(other) => return Err(mismatch(text!("Its `uploadType` is \"{}\".", other))),
                    None => parts.len() > 1 || reply.complete_url.is_some(),
                };
                let mut planned = Vec::with_capacity(parts.len());
                for part in parts {
                    let WireRange { start, end } = part.byte_range;
                    let Some(range) = ByteRange::from_inclusive(start, end) else {
                        return Err(mismatch(text!("Part {} ends before it starts.", part.part_number)));
                    };
                    planned.push(Part { number: part.part_number, range, url: Some(part.upload_url) });
                }
                (Plan::checked(size, planned).map_err(mismatch)?, multipart)
            }
            None => {
                let header =
                    |name: &str| response.header(name).and_then(|value| value.trim_ascii().parse::<u64>().ok());
                let (Some(total), Some(part_size)) =
                    (header("x-ofauth-upload-total-parts"), header("x-ofauth-upload-part-size"))
                else {
                    return Err(mismatch("It has no parts, and its layout headers can't be read.".into()).hint(
                        "The proxy has to expose x-ofauth-upload-total-parts and x-ofauth-upload-part-size by CORS.",
                    ));
                };
                let mut plan = Plan::equal(size, part_size).map_err(mismatch)?;
                if plan.parts().len() as u64 != total {
                    return Err(mismatch(text!("{} parts of {} bytes don't cover {} bytes.", total, part_size, size)));
                }
                for part in plan.parts_mut() {
                    let path = match total {
                        1 => text!("{}{}", UPLOADS, id),
                        _ => text!("{}{}/parts/{}", UPLOADS, id, part.number),
                    };
                    part.url = Some(self.api.origins.join(&path, ""));
                }
                (plan, total > 1)
            }
        };
        if !multipart && plan.parts().len() != 1 {
            return Err(mismatch(text!("It is \"single\" and has {} parts.", plan.parts().len())));
        }
        let complete_url = match (multipart, reply.complete_url) {
            (false, _) => None,
            (true, None) => Some(self.api.origins.join(COMPLETE, "")),
            (true, Some(url)) => match self.api.place(&cx.platform, Step::Complete, &url)? {
                (Place::Api(url), _) => Some(url),
                (Place::Presigned, url) => {
                    return Err(mismatch(text!("Its `completeUrl` leads to {}.", url.origin))
                        .hint("Map the URL onto your proxy with `mapUrl`, or name its origin in `trustedOrigins`."));
                }
            },
        };
        // Every address is looked at before the first byte leaves.
        for part in plan.parts() {
            let url = part.url.as_deref().unwrap_or_default();
            let (place, url) = self.api.place(&cx.platform, Step::Part, url)?;
            if !may_get_a_file(&cx.platform, &place, &url) {
                let why = "which is neither OFAuth's API nor another https address";
                return Err(mismatch(text!("Part {} goes to {}, {}.", part.number, url.origin, why)));
            }
            if place == Place::Presigned {
                presigned_put(cx, part, url).map_err(|error| error.part(part.number))?;
            }
        }
        Ok(Session {
            upload_id: Some(reply.media_upload_id),
            complete_url,
            expires_at: reply.expires_at.as_deref().and_then(time::parse_iso),
            ..Session::new(plan, multipart)
        })
    }

    /// What a finished upload's answer says: the reference always, the media where it is there.
    fn tell(&self, cx: &Context<P>, upload_id: Option<String>, json: Option<&P::Json>, outcome: &mut Outcome<P>) {
        let platform = &cx.platform;
        let media = json.and_then(|json| platform.member(json, "media"));
        let media_id =
            media.as_ref().and_then(|media| json::decode::<P, MediaId>(platform, media).ok()).map(|media| media.id.0);
        outcome.reusable = Some(media_id.is_some());
        outcome.media_item = media_id.as_ref().or(upload_id.as_ref()).cloned();
        outcome.media_upload_id = upload_id;
        outcome.media_id = media_id;
        outcome.media = media;
    }
}

impl<P: Platform> Provider<P> for Ofauth<P> {
    fn accept(&self) -> Accept {
        Accept::of(TYPES, MAX_BYTES)
    }

    fn part_completes(&self, session: &Session<P>) -> bool {
        !session.multipart
    }

    async fn check(&self, cx: &Context<P>, outcome: &mut Outcome<P>) -> Result<bool> {
        if !self.skip_existing || cx.file.size > ONE_PART {
            return Ok(false);
        }
        let whole = ByteRange::new(0, cx.file.size);
        let md5 = integrity::md5_of(cx, whole).await.map_err(|error| error.at(Step::Check))?;
        let Some(md5) = md5 else { return Ok(false) };
        let mut request = self.api.request(Step::Check, Method::Post, CHECK, "");
        let etag = text::concat(&["\"", &hex::hex(&md5), "\""]);
        let body = vec![("etag", (&etag).into()), ("size", cx.file.size.into())];
        request.body = Body::Json(cx.platform.encode(&Made::Object(body)));
        // It only saves time: one try, and a failure is passed over.
        let Ok(response) = self.api.call(cx, request, Idempotency::BestEffort).await else { return Ok(false) };
        let mut reply = CheckReply::default();
        let Ok(json) = read(&cx.platform, Step::Check, &response, &mut reply) else { return Ok(false) };
        self.tell(cx, None, Some(&json), outcome);
        Ok(reply.exists && outcome.media_id.is_some())
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<P>> {
        self.in_doubt.set(false);
        self.kept.set(false);
        let content_type = cx.file.known_type();
        if content_type.is_empty() {
            return Err(UploadError::new(Code::FileRejected, text!("The type of \"{}\" is unknown.", cx.file.name))
                .at(Step::Check)
                .hint("OFAuth wants a content type: pass `contentType`."));
        }
        let mut request = self.api.request(Step::Init, Method::Post, INIT, "");
        let body = cx.platform.encode(&Made::Object(vec![
            ("filename", (&cx.file.name).into()),
            ("size", cx.file.size.into()),
            ("contentType", content_type.into()),
        ]));
        request.body = Body::Json(match &self.vault_upload {
            Some(vault_upload) => cx.platform.with(body, "vaultUpload", vault_upload.clone()),
            None => body,
        });
        // A session that is never used costs nothing, so init may be repeated.
        let response = self.api.call(cx, request, Idempotency::ByKey).await?;
        let mut reply = InitReply::default();
        read(&cx.platform, Step::Init, &response, &mut reply)?;
        self.session(cx, reply, &response)
    }

    fn keeps_urls(&self) -> bool {
        true
    }

    /// The vendor can't be asked what it has: what was kept counts.
    async fn restore(&self, cx: &Context<P>, resumed: &mut Resumed<P>) -> Result<()> {
        self.in_doubt.set(resumed.phase == Phase::Completing);
        self.kept.set(true);
        let session = &resumed.session;
        let foreign = session
            .complete_url
            .as_deref()
            .is_some_and(|url| !cx.platform.resolve(url).is_some_and(|url| self.api.origins.trusts(&url)));
        // Without an address to complete it at, an upload in parts would end before it is one.
        let sound = session.is_sound() && session.multipart == session.complete_url.is_some();
        let nowhere = |part: &Part| {
            let place = self.api.place(&cx.platform, Step::Part, part.url.as_deref().unwrap_or_default());
            !place.is_ok_and(|(place, url)| may_get_a_file(&cx.platform, &place, &url))
        };
        let astray = session.plan.parts().iter().any(nowhere);
        // Where an earlier page may have completed it, whether it has expired is the vendor's to say.
        let incomplete = session.multipart && resumed.phase == Phase::Sending;
        let lapsed = incomplete
            && session
                .expires_at
                .is_some_and(|at| cx.is_past(at, session.begun_at) || at.saturating_add(YEAR_MS) < session.begun_at);
        if lapsed || foreign || astray || !sound || session.upload_id.is_none() {
            return Err(not_whole());
        }
        Ok(())
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        part: &Part,
        _renew: bool,
    ) -> Result<Request<P>> {
        let text = part.url.as_deref().unwrap_or_default();
        match self.api.place(&cx.platform, Step::Part, text)? {
            (Place::Api(url), _) => {
                if let Some(pace) = &self.api.pace {
                    drop(pace.turn(&cx.platform).await);
                }
                let mut request = self.api.request_to(Step::Part, Method::Put, url);
                request.body = Body::File(cx.file.body(part.range, Some(cx.file.known_type())));
                if !session.multipart {
                    self.api.add_key(cx, &mut request);
                }
                Ok(Request::Api(request))
            }
            (Place::Presigned, url) => presigned_put(cx, part, url),
        }
    }

    fn receipt(&self, cx: &Context<P>, session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
        self.api.answered(cx, response);
        let presigned = || {
            let place = self.api.place(&cx.platform, Step::Part, part.url.as_deref().unwrap_or_default());
            matches!(place, Ok((Place::Presigned, _)))
        };
        if !response.ok() {
            let error = self.api.refusal(&cx.platform, response).at(Step::Part);
            return Err(match error.code {
                // An earlier page may have sent it, and never heard of it.
                Code::Conflict if self.kept.get() && !session.multipart => error.answer_lost(true),
                Code::Unauthorized | Code::Forbidden if presigned() => error.hint(
                    "The part's URL got no keys, since its origin isn't known. Map it onto your proxy with `mapUrl`, or name its origin in `trustedOrigins`.",
                ),
                _ => error,
            });
        }
        let header = response.header("etag").map(str::to_owned);
        let json = cx.platform.parse(&response.body);
        // A proxy may drop the body; what it says must be the API's word.
        if json.is_none() && !response.body.trim_ascii().is_empty() && !presigned() {
            return Err(UploadError::new(Code::Server, "The answer to the part must be JSON, and is something else.")
                .at(Step::Part)
                .hint("Check that `baseUrl` leads to OFAuth, and that nothing between answers in its place.")
                .answer_lost(true));
        }
        if !session.multipart {
            return Ok(Receipt { number: part.number, etag: header, reply: json });
        }
        let reply = json.as_ref().and_then(|json| json::decode::<P, PartReply>(&cx.platform, json).ok());
        if let Some(number) = reply.as_ref().and_then(|reply| reply.part_number).filter(|number| *number != part.number)
        {
            return Err(UploadError::new(Code::Server, text!("OFAuth took part {} for part {}.", part.number, number))
                .at(Step::Part));
        }
        Ok(Receipt { number: part.number, etag: reply.and_then(|reply| reply.etag).or(header), reply: None })
    }

    /// A part of a completed upload is refused as a conflict (assumed).
    fn completed_before(&self, session: &Session<P>, error: &UploadError) -> bool {
        let completed = session.multipart && error.code == Code::Conflict;
        self.in_doubt.set(self.in_doubt.get() || completed);
        completed
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        _again: bool,
        outcome: &mut Outcome<P>,
    ) -> Result<()> {
        let id = session.upload_id.clone().unwrap_or_default();
        let Some(url) = session.complete_url.clone() else {
            let json = parts.first().and_then(|part| part.reply.as_ref());
            self.tell(cx, Some(id), json, outcome);
            return Ok(());
        };
        let mut request = self.api.request_to(Step::Complete, Method::Post, url);
        request.body = Body::Json(cx.platform.encode(&Made::Object(vec![("mediaUploadId", (&id).into())])));
        // Whether it may be repeated is not published; the session's id is its key (assumed).
        let in_doubt = self.in_doubt.get();
        let answer = self.api.call(cx, request, Idempotency::ByKey).await;
        let mut reply = DoneReply::default();
        let json = answer.and_then(|response| read(&cx.platform, Step::Complete, &response, &mut reply));
        let json = json.map_err(|error| {
            let lost = error.answer_lost || in_doubt;
            error.answer_lost(lost).or_unknown()
        })?;
        self.tell(cx, reply.media_upload_id.or(Some(id)), Some(&json), outcome);
        Ok(())
    }
}
