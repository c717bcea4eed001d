//! What happened in a world: as a number to compare, and as text to read.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use partway::model::events::Event;

use crate::world::World;

/// A number that two equal stories share.
pub(super) fn hash(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    for record in &world.log().records {
        (record.route, record.sent_at, record.arrived_at, record.status, record.effects).hash(&mut hasher);
        record.url.hash(&mut hasher);
        record.range.hash(&mut hasher);
    }
    for handle in world.handles() {
        for (at, event) in handle.events().iter() {
            at.hash(&mut hasher);
            match event {
                Event::Status(status) => status.as_str().hash(&mut hasher),
                Event::Progress(progress) => (progress.sent, progress.parts_done).hash(&mut hasher),
                Event::Part(part) => (part.number, part.attempts).hash(&mut hasher),
                Event::Complete(result) => (result.attempts, result.elapsed_ms).hash(&mut hasher),
                Event::Error(error) => error.code.hash(&mut hasher),
            }
        }
    }
    hasher.finish()
}

/// What happened, to be read by a person: what was sent and how it ended, the events of each upload, and what else happened.
pub(super) fn text(world: &World) -> String {
    let log = world.log();
    let begin = world.beginning();
    let mut entries: Vec<(u64, String)> = log.notes.iter().map(|(at, note)| (*at, format!("* {note}"))).collect();
    for record in &log.records {
        let mut line = format!("{}: {}", record.upload, record.route);
        if let Some(range) = record.range {
            let _ = write!(line, " {}..{}", range.start, range.end);
        }
        let end = match (record.status, record.ended_at) {
            (Some(0), Some(at)) => format!("failed after {} ms", at - record.sent_at),
            (Some(status), Some(at)) => format!("{status} after {} ms", at - record.sent_at),
            (Some(status), None) => status.to_string(),
            _ => "no answer".into(),
        };
        let _ = write!(line, " -> {end}");
        if record.effects > 0 {
            let at = record.arrived_at.unwrap_or(record.sent_at);
            let _ = write!(line, ", took effect after {} ms", at.saturating_sub(record.sent_at));
        }
        if record.effects > 1 {
            let _ = write!(line, " {} times", record.effects);
        }
        entries.push((record.sent_at, line));
    }
    for handle in world.handles() {
        let number = handle.number();
        entries.extend(handle.events().iter().filter_map(|(at, event)| {
            Some((
                *at,
                match event {
                    Event::Status(status) => format!("{number}: is {}", status.as_str()),
                    Event::Part(part) => format!("{number}: part {} is there, verified {}", part.number, part.verified),
                    Event::Error(error) => format!("{number}: ends with {error} at {:?}", error.step),
                    Event::Complete(result) => format!("{number}: ends well: {:?}", result.outcome),
                    Event::Progress(_) => return None,
                },
            ))
        }));
    }
    entries.sort_by_key(|(at, _)| *at);
    let total = entries.len();
    let mut text = String::new();
    for (index, (at, line)) in entries.into_iter().enumerate() {
        match index {
            100 if total > 240 => _ = writeln!(text, "  ... {} more ...", total - 240),
            101.. if total > 240 && index < total - 140 => {}
            _ => _ = writeln!(text, "{:>10} ms  {line}", at.saturating_sub(begin)),
        }
    }
    text.extend(log.warnings.iter().map(|warning| format!("     warned: {warning}\n")));
    text
}
