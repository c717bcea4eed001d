//! A session as it is kept, to go on after the page is gone. What can't be read for certain is no session: the upload begins anew.
//!
//! No key and no credentials are in a record. Presigned URLs are only in those of destinations that can't renew them.

use crate::engine::send::UploadedPart;
use crate::json::{self, Fill, Made, Reader, decoded};
use crate::model::events::SentPart;
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::{Phase, Session};
use crate::platform::Platform;
use crate::provider::Receipt;

/// The form of the record. One of another form is left alone.
const VERSION: u32 = 1;

/// What was kept of an upload: its session's record, and the parts beside it.
#[derive(Clone, Debug)]
pub struct SavedSession<P: Platform> {
    /// What [`Platform::keep`] got last.
    pub record: P::Json,
    /// What [`Platform::keep_part`] got, in whatever order.
    pub parts: Vec<P::Json>,
}

/// A session that is gone on with.
#[derive(Debug)]
pub struct Resumed<P: Platform> {
    /// The session.
    pub session: Session<P>,
    /// How far it had come.
    pub phase: Phase,
    /// The parts that had arrived, as far as was kept.
    pub arrived: Vec<UploadedPart<P>>,
}

decoded! {
    struct RecordIn {
        version: u32 = "version",
        provider: String = "provider",
        phase: String = "phase",
        size: u64 = "size",
        parts: Vec<PartIn> = "parts",
    }

    struct PartIn {
        part_number: u32 = "partNumber",
        start: u64 = "start",
        end: u64 = "end",
        url: Option<String> = "url",
    }

    struct ArrivedIn {
        part_number: u32 = "partNumber",
        start: u64 = "start",
        end: u64 = "end",
        etag: Option<String> = "etag",
        verified: bool = "verified",
    }
}

/// What a record says beside the plan.
impl<P: Platform> Fill<P> for Session<P> {
    fn fill(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        let object = reader.object(json);
        reader.field(object, "multipart", &mut self.multipart);
        reader.field(object, "begunAt", &mut self.begun_at);
        reader.field(object, "uploadId", &mut self.upload_id);
        reader.field(object, "key", &mut self.key);
        reader.field(object, "recordId", &mut self.record_id);
        reader.field(object, "getUrl", &mut self.get_url);
        reader.field(object, "completeUrl", &mut self.complete_url);
        reader.field(object, "etag", &mut self.etag);
        reader.field(object, "expiresAt", &mut self.expires_at);
    }
}

impl<P: Platform> UploadedPart<P> {
    /// A part that arrived in another page.
    pub(crate) fn before(part: &Part, etag: Option<String>, verified: bool, reply: Option<P::Json>) -> Self {
        let (number, range) = (part.number, part.range);
        Self {
            part: SentPart { number, range, etag: etag.clone(), attempts: 0, verified },
            receipt: Receipt { number, etag, reply },
        }
    }
}

const PHASES: [(Phase, &str); 3] =
    [(Phase::Sending, "sending"), (Phase::Completing, "completing"), (Phase::Settling, "settling")];

/// The record of a session; its parts' URLs go in where they can't be had again.
pub fn write<P: Platform>(platform: &P, provider: &str, session: &Session<P>, phase: Phase, urls: bool) -> P::Json {
    let parts = session.plan.parts().iter().map(|part| {
        let url = part.url.as_deref().filter(|_| urls && session.given.is_none());
        let mut part = place(part.number, part.range);
        part.push(("url", url.into()));
        Made::Object(part)
    });
    let record = platform.encode(&Made::Object(vec![
        ("version", VERSION.into()),
        ("provider", provider.into()),
        ("phase", PHASES[phase as usize].1.into()),
        ("size", session.plan.size().into()),
        ("multipart", session.multipart.into()),
        ("parts", Made::List(parts.collect())),
        ("begunAt", session.begun_at.into()),
        ("uploadId", session.upload_id.as_ref().into()),
        ("key", session.key.as_ref().into()),
        ("recordId", session.record_id.as_ref().into()),
        ("getUrl", session.get_url.as_ref().into()),
        ("completeUrl", session.complete_url.as_ref().into()),
        ("etag", session.etag.as_ref().into()),
        ("expiresAt", session.expires_at.into()),
    ]));
    match &session.given {
        Some(given) if urls => platform.with(record, "given", given.clone()),
        Some(given) => platform.with(record, "given", without_urls(platform, given, &session.plan)),
        None => record,
    }
}

/// Which part it is; `end` is the last byte's, as everywhere outside.
fn place<'a>(number: u32, range: ByteRange) -> Vec<(&'static str, Made<'a>)> {
    vec![("partNumber", number.into()), ("start", range.start.into()), ("end", range.last().into())]
}

/// The application's plan, its parts without their URLs.
fn without_urls<P: Platform>(platform: &P, given: &P::Json, plan: &Plan) -> P::Json {
    let mut copy = platform.encode(&Made::Object(Vec::new()));
    for name in platform.names(given) {
        if let Some(member) = platform.member(given, &name) {
            copy = platform.with(copy, &name, member);
        }
    }
    // As `UploadPlan` of the public types has them.
    let parts = plan.parts().iter().map(|part| {
        let range = vec![("start", part.range.start.into()), ("end", part.range.last().into())];
        Made::Object(vec![("partNumber", part.number.into()), ("byteRange", Made::Object(range))])
    });
    platform.with(copy, "parts", platform.encode(&Made::List(parts.collect())))
}

/// A part that arrived, to be kept beside the record.
pub fn write_part<P: Platform>(platform: &P, arrived: &UploadedPart<P>) -> P::Json {
    let part = &arrived.part;
    let mut members = place(part.number, part.range);
    members.push(("etag", part.etag.as_ref().into()));
    members.push(("verified", part.verified.into()));
    let json = platform.encode(&Made::Object(members));
    match &arrived.receipt.reply {
        Some(reply) => platform.with(json, "reply", reply.clone()),
        None => json,
    }
}

/// The session that was kept for a file of `size` bytes at this provider; None where the record is damaged, of a later form, or
/// of something else.
pub fn read<P: Platform>(platform: &P, provider: &str, size: u64, kept: &SavedSession<P>) -> Option<Resumed<P>> {
    let record: RecordIn = json::decode(platform, &kept.record).ok()?;
    let record = if broken!(NewerRecord) { RecordIn { version: VERSION, ..record } } else { record };
    if record.version != VERSION || record.provider != provider || record.size != size {
        return None;
    }
    let phase = PHASES.iter().find(|(_, name)| *name == record.phase)?.0;
    let mut parts = Vec::new();
    for part in record.parts {
        let range = match size {
            0 => ByteRange::new(0, 0),
            _ => ByteRange::from_inclusive(part.start, part.end)?,
        };
        parts.push(Part { number: part.part_number, range, url: part.url });
    }
    let mut session = Session::new(Plan::checked(size, parts).ok()?, false);
    json::fill(platform, Some(&kept.record), &mut session).ok()?;
    session.given = platform.member(&kept.record, "given");
    let mut arrived = Vec::new();
    let parts = session.plan.parts();
    let mut seen = vec![false; parts.len()];
    for json in &kept.parts {
        let Ok(there) = json::decode::<P, ArrivedIn>(platform, json) else { continue };
        let Some(at) = session.plan.place(there.part_number) else { continue };
        let part = &parts[at];
        let fits = part.range.start == there.start && part.range.last() == there.end;
        if fits && !seen[at] {
            seen[at] = true;
            arrived.push(UploadedPart::before(part, there.etag, there.verified, platform.member(json, "reply")));
        }
    }
    if broken!(ForgottenParts) {
        arrived.clear();
    }
    Some(Resumed { session, phase, arrived })
}
