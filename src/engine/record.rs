//! The record of a session, from which a later page continues. If a record can't be read in full, the upload starts again.
//!
//! A record has no keys and no credentials. It has presigned URLs only where the destination can't renew them.

use crate::json::{Decode, FirstMismatch, Items, Json, JsonBuilder, Object, decode, decoded};
use crate::model::file::SourceFile;
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::{AnySession, Phase, Progressed, UploadedPart};
use crate::platform::{Platform, yield_after};
use crate::provider::{DynProvider, SavedBase, SharedSession};

/// The version of the record's format. A record of another version isn't read.
const VERSION: u32 = 1;

/// A saved upload: the record of its session, and the parts beside it.
#[derive(Clone, Debug)]
pub struct SavedSession<J> {
    /// The record that was last given to [`Platform::keep`].
    pub record: J,
    /// The parts that were given to [`Platform::keep_part`], in any order.
    pub parts: Vec<J>,
}

/// A session that an earlier page saved, and how far it has come.
pub struct Resumed<P: Platform> {
    /// The session.
    pub session: SharedSession<P>,
    /// How far it has come.
    pub progressed: Progressed<P::Json>,
}

decoded! {
    /// What an earlier page sent in the picked file's place. Its size is that of the plan.
    #[derive(Clone, Debug)]
    pub struct Replacement {
        /// Its name.
        pub name: String = "name",
        /// Its media type.
        pub content_type: String = "type",
    }
    struct Record {
        version: u32 = "version",
        provider: String = "provider",
        phase: String = "phase",
        size: u64 = "size",
        output: Option<Replacement> = "output",
        multipart: bool = "multipart",
        began_at: u64 = "begunAt",
        expires_at: Option<u64> = "expiresAt",
    }

    struct RecordPart {
        part_number: u32 = "partNumber",
        start: u64 = "start",
        end: u64 = "end",
        url: Option<String> = "url",
    }

    struct RecordUpload {
        part_number: u32 = "partNumber",
        start: u64 = "start",
        end: u64 = "end",
        etag: Option<String> = "etag",
        verified: bool = "verified",
        checksum: Option<String> = "checksum",
        md5: Option<String> = "md5",
    }
}

const PHASES: [(Phase, &str); 3] =
    [(Phase::Sending, "sending"), (Phase::Completing, "completing"), (Phase::Settling, "settling")];

/// Writes the record of a session; `urls` includes the URLs of its parts. `replacement` is sent in the picked file's place.
pub(super) fn write<J: Json, B: Clone>(
    provider: &str,
    session: &dyn AnySession<J>,
    phase: Phase,
    urls: bool,
    replacement: Option<&SourceFile<B>>,
) -> J {
    let plan = session.plan();
    let parts = plan.parts().iter().map(|part| {
        let url = part.url.as_deref().filter(|_| urls);
        let mut members = part_members(part.number, part.range);
        members.push(("url", url.into()));
        JsonBuilder::Object(members)
    });
    session.save(J::build(&JsonBuilder::Object(vec![
        ("version", VERSION.into()),
        ("provider", provider.into()),
        ("phase", PHASES[phase as usize].1.into()),
        ("size", plan.size().into()),
        ("output", replacement.map_or(JsonBuilder::Null, output)),
        ("multipart", session.is_multipart().into()),
        ("parts", JsonBuilder::List(parts.collect())),
        ("begunAt", session.began_at().into()),
        ("expiresAt", session.expires_at().into()),
    ])))
}

fn output<B: Clone>(replacement: &SourceFile<B>) -> JsonBuilder<'_> {
    JsonBuilder::Object(vec![("name", (&replacement.name).into()), ("type", replacement.known_type().into())])
}

/// The members that identify a part. `end` is inclusive, as in every format outside of the crate.
fn part_members<'a>(number: u32, range: ByteRange) -> Vec<(&'static str, JsonBuilder<'a>)> {
    vec![("partNumber", number.into()), ("start", range.start.into()), ("end", range.last().into())]
}

/// Writes an uploaded part, which is saved beside the record.
pub(super) fn write_part<J: Json>(uploaded: &UploadedPart<J>) -> J {
    let part = &uploaded.part;
    let mut members = part_members(part.number, part.range);
    members.push(("etag", part.etag.as_ref().into()));
    members.push(("verified", part.verified.into()));
    members.push(("checksum", uploaded.receipt.checksum.as_ref().into()));
    members.push(("md5", uploaded.md5.as_ref().into()));
    let json = J::build(&JsonBuilder::Object(members));
    match &uploaded.receipt.reply {
        Some(reply) => json.with("reply", reply.clone()),
        None => json,
    }
}

/// Reads the session that was saved for a file of `size` bytes at this provider, and what was sent in the file's place; None if the
/// record is damaged, of another version, or of another file or provider. It may have thousands of parts, so the page has its turn in
/// between.
pub async fn read<P: Platform>(
    platform: &P,
    provider: &dyn DynProvider<P>,
    size: u64,
    saved: &SavedSession<P::Json>,
) -> Option<(Resumed<P>, Option<Replacement>)> {
    let record: Record = decode(&saved.record).ok()?;
    let known = record.version == VERSION || broken!(NewerRecord);
    let size = if record.output.is_some() { record.size } else { size };
    if !known || record.provider != provider.name() || record.size != size {
        return None;
    }
    let phase = PHASES.iter().find(|(_, name)| *name == record.phase)?.0;
    let Items(items) = Object::of(Some(&saved.record), &mut FirstMismatch::default()).field("parts");
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        let part = RecordPart::decode(Some(&item)).ok()?;
        let range = match size {
            0 => ByteRange::new(0, 0),
            _ => ByteRange::from_inclusive(part.start, part.end)?,
        };
        parts.push(Part { number: part.part_number, range, url: part.url });
        yield_after(platform, parts.len()).await;
    }
    let plan = Plan::checked(size, parts).ok()?;
    let uploaded = if broken!(ForgottenParts) { Vec::new() } else { read_parts(platform, &plan, &saved.parts).await };
    let Record { multipart, began_at, expires_at, output, .. } = record;
    let session = provider.load(SavedBase { plan, multipart, began_at, expires_at }, &saved.record)?;
    Some((Resumed { session, progressed: Progressed { phase, uploaded } }, output))
}

/// Reads the parts that were saved as uploaded; any that aren't the plan's are ignored.
async fn read_parts<P: Platform>(platform: &P, plan: &Plan, saved: &[P::Json]) -> Vec<UploadedPart<P::Json>> {
    let mut uploaded = Vec::new();
    let mut seen = vec![false; plan.parts().len()];
    for (json, done) in saved.iter().zip(1..) {
        yield_after(platform, done).await;
        let Ok(upload) = RecordUpload::decode(Some(json)) else { continue };
        let Some(at) = plan.index_of(upload.part_number) else { continue };
        let part = &plan.parts()[at];
        if part.range.start == upload.start && part.range.last() == upload.end && !seen[at] {
            seen[at] = true;
            let mut saved = UploadedPart::from_saved(part, upload.etag, upload.verified, json.member("reply"));
            saved.receipt.checksum = upload.checksum;
            saved.md5 = upload.md5;
            uploaded.push(saved);
        }
    }
    uploaded
}
