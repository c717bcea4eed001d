//! A session as it is kept, to go on after the page is gone. What can't be read for certain is no session: the upload begins anew.
//!
//! No key and no credentials are in a record. Presigned URLs are only in those of destinations that can't renew them.

use serde::Serialize;

use super::events::SentPart;
use super::send::Arrived;
use super::session::{Phase, Session};
use crate::json::{self, decoded};
use crate::numbered::Numbered;
use crate::plan::{ByteRange, Part, Plan};
use crate::platform::Platform;
use crate::providers::Receipt;

/// The form of the record. One of another form is left alone.
const VERSION: u32 = 1;

/// What was kept of an upload: its session's record, and the parts beside it.
#[derive(Clone, Debug)]
pub struct Kept<P: Platform> {
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
    pub arrived: Vec<Arrived<P>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordOut<'a> {
    version: u32,
    provider: &'a str,
    phase: &'a str,
    size: u64,
    multipart: bool,
    parts: Vec<PartOut<'a>>,
    begun_at: u64,
    upload_id: &'a Option<String>,
    key: &'a Option<String>,
    record_id: &'a Option<String>,
    get_url: &'a Option<String>,
    complete_url: &'a Option<String>,
    etag: &'a Option<String>,
    expires_at: Option<u64>,
}

/// `end` is the last byte's, as everywhere outside.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartOut<'a> {
    part_number: u32,
    start: u64,
    end: u64,
    url: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArrivedOut<'a> {
    part_number: u32,
    start: u64,
    end: u64,
    etag: &'a Option<String>,
    verified: bool,
}

#[derive(Serialize)]
struct Nothing {}

/// A part as `UploadPlan` of the public types has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GivenPart {
    part_number: u32,
    byte_range: GivenRange,
}

#[derive(Serialize)]
struct GivenRange {
    start: u64,
    end: u64,
}

decoded! {
    struct RecordIn {
        version: u32 = "version",
        provider: String = "provider",
        phase: String = "phase",
        size: u64 = "size",
        multipart: bool = "multipart",
        parts: Vec<PartIn> = "parts",
        begun_at: u64 = "begunAt",
        upload_id: Option<String> = "uploadId",
        key: Option<String> = "key",
        record_id: Option<String> = "recordId",
        get_url: Option<String> = "getUrl",
        complete_url: Option<String> = "completeUrl",
        etag: Option<String> = "etag",
        expires_at: Option<u64> = "expiresAt",
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

const PHASES: [(Phase, &str); 3] =
    [(Phase::Sending, "sending"), (Phase::Completing, "completing"), (Phase::Settling, "settling")];

/// The record of a session; its parts' URLs go in where they can't be had again.
pub fn write<P: Platform>(platform: &P, provider: &str, session: &Session<P>, phase: Phase, urls: bool) -> P::Json {
    let parts = session.plan.parts().iter().map(|part| PartOut {
        part_number: part.number,
        start: part.range.start,
        end: part.range.last(),
        url: part.url.as_deref().filter(|_| urls && session.given.is_none()),
    });
    let record = platform.encode(&RecordOut {
        version: VERSION,
        provider,
        phase: PHASES[phase as usize].1,
        size: session.plan.size(),
        multipart: session.multipart,
        parts: parts.collect(),
        begun_at: session.begun_at,
        upload_id: &session.upload_id,
        key: &session.key,
        record_id: &session.record_id,
        get_url: &session.get_url,
        complete_url: &session.complete_url,
        etag: &session.etag,
        expires_at: session.expires_at,
    });
    match &session.given {
        Some(given) if urls => platform.with(record, "given", given.clone()),
        Some(given) => platform.with(record, "given", without_urls(platform, given, &session.plan)),
        None => record,
    }
}

/// The application's plan, its parts without their URLs.
fn without_urls<P: Platform>(platform: &P, given: &P::Json, plan: &Plan) -> P::Json {
    let mut copy = platform.encode(&Nothing {});
    for name in platform.names(given) {
        if let Some(member) = platform.member(given, &name) {
            copy = platform.with(copy, &name, member);
        }
    }
    let parts = plan.parts().iter().map(|part| GivenPart {
        part_number: part.number,
        byte_range: GivenRange { start: part.range.start, end: part.range.last() },
    });
    platform.with(copy, "parts", platform.encode(&parts.collect::<Vec<_>>()))
}

/// A part that arrived, to be kept beside the record.
pub fn write_part<P: Platform>(platform: &P, arrived: &Arrived<P>) -> P::Json {
    let part = &arrived.part;
    let json = platform.encode(&ArrivedOut {
        part_number: part.number,
        start: part.range.start,
        end: part.range.last(),
        etag: &part.etag,
        verified: part.verified,
    });
    match &arrived.receipt.reply {
        Some(reply) => platform.with(json, "reply", reply.clone()),
        None => json,
    }
}

/// The session that was kept for a file of `size` bytes at this provider; None where the record is damaged, of a later form, or
/// of something else.
pub fn read<P: Platform>(platform: &P, provider: &str, size: u64, kept: &Kept<P>) -> Option<Resumed<P>> {
    let record: RecordIn = json::decode(platform, &kept.record).ok()?;
    #[cfg(feature = "mutants")]
    let record = if crate::mutants::is(crate::mutants::Mutant::NewerRecord) {
        RecordIn { version: VERSION, ..record }
    } else {
        record
    };
    if record.version != VERSION || record.provider != provider || record.size != size {
        return None;
    }
    let phase = PHASES.iter().find(|(_, name)| *name == record.phase)?.0;
    let mut parts = Vec::with_capacity(record.parts.len());
    for part in record.parts {
        let range = match size {
            0 => ByteRange::new(0, 0),
            _ => ByteRange::from_inclusive(part.start, part.end)?,
        };
        parts.push(Part { number: part.part_number, range, url: part.url });
    }
    let plan = Plan::checked(size, parts).ok()?;
    let mut arrived = Vec::with_capacity(kept.parts.len());
    let mut seen = Numbered::default();
    for json in &kept.parts {
        let Ok(there) = json::decode::<P, ArrivedIn>(platform, json) else { continue };
        let planned = plan.part(there.part_number);
        let fits = |part: &&Part| part.range.start == there.start && part.range.last() == there.end;
        let Some(part) = planned.filter(fits).filter(|part| seen.get(part.number).is_none()) else { continue };
        seen.insert(part.number, ());
        arrived.push(Arrived {
            part: SentPart {
                number: part.number,
                range: part.range,
                etag: there.etag.clone(),
                attempts: 0,
                verified: there.verified,
            },
            receipt: Receipt { number: part.number, etag: there.etag, reply: platform.member(json, "reply") },
        });
    }
    #[cfg(feature = "mutants")]
    if crate::mutants::is(crate::mutants::Mutant::ForgottenParts) {
        arrived.clear();
    }
    let session = Session {
        multipart: record.multipart,
        upload_id: record.upload_id,
        key: record.key,
        record_id: record.record_id,
        get_url: record.get_url,
        complete_url: record.complete_url,
        etag: record.etag,
        begun_at: record.begun_at,
        expires_at: record.expires_at,
        given: platform.member(&kept.record, "given"),
        ..Session::new(plan, record.multipart)
    };
    Some(Resumed { session, phase, arrived })
}
