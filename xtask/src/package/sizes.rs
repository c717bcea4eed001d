//! What a page loads, and how much of it there may be.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use brotli::enc::BrotliEncoderParams;

use super::entries::{NARROW, WHOLE};
use super::wasm::Library;
use super::{hashing, views};

/// Bytes, compressed with brotli, of what a page loads when something is to be hashed. It is what there is, so that it doesn't grow
/// unseen.
const HASHING: usize = 17_000;

/// Bytes, compressed with brotli, that an entry for a framework adds to a page: itself, and the store that it stands on. (A choice.)
const FRAMEWORK: usize = 3_000;

/// Bytes, compressed with brotli, of the script that all entries share: drop zone and store. It is what there is, so that it doesn't
/// grow unseen. A bundler takes only what a page uses of it.
const VIEW: usize = 3_000;

/// How much more it may be with the standard library as it is shipped, in percent (it is 13 to 18, measured).
const SHIPPED: usize = 20;

/// Prints the sizes, and fails where a budget is exceeded.
pub(super) fn report(stage: &Path, tarball: &Path, library: Library, scratch: &Path, tools: &Path) -> Result<()> {
    let sessions = measure(&stage.join("dist").join(views::SESSIONS))?;
    println!("{:<20} {:>9} {:>9} {:>9} {:>13} {:>9}", "brotli", "script", "wasm", "sessions", "a page loads", "budget");
    let mut exceeded = Vec::new();
    for entry in std::iter::once(&WHOLE).chain(&NARROW) {
        let script = measure(&stage.join(format!("{}.js", entry.script)))?;
        let wasm = measure(&stage.join("dist").join(entry.wasm()))?;
        let (page, budget) = (script + wasm + sessions, budget_of(entry.budget, library));
        let columns = [script, wasm, sessions, page, budget].map(grouped);
        let [script, wasm, sessions, loads, most] = &columns;
        println!("{:<20} {script:>9} {wasm:>9} {sessions:>9} {loads:>13} {most:>9}", entry.import());
        if page > budget {
            exceeded.push(entry.import());
        }
    }
    let hashing = measure(&stage.join("dist").join(hashing::PAGE))?;
    println!("loaded when something is to be hashed: {} of {}", grouped(hashing), grouped(HASHING));
    if hashing > budget_of(HASHING, library) {
        exceeded.push(hashing::PAGE.into());
    }
    let view = measure(&stage.join("dist").join(views::VIEW))?;
    println!("drop zone and store, where they are used: {} of {}", grouped(view), grouped(VIEW));
    if view > VIEW {
        exceeded.push(views::VIEW.into());
    }
    for name in views::FRAMEWORKS {
        let script = measure(&views::with_its_view(name, stage, scratch, tools)?)?;
        println!("{}/{name}, with the store: {} of {}", WHOLE.engine, grouped(script), grouped(FRAMEWORK));
        if script > FRAMEWORK {
            exceeded.push(name.into());
        }
    }
    for entry in std::iter::once(&WHOLE).chain(&NARROW) {
        let files = [
            stage.join(format!("{}.js", entry.self_contained())),
            stage.join("dist").join(entry.inline()),
            stage.join("dist").join(hashing::INLINE),
        ];
        let all = files.iter().map(|file| measure(file)).sum::<Result<usize>>()?;
        println!("{}/{}, all in the page's script: {}", WHOLE.engine, entry.self_contained(), grouped(all));
    }
    let copy = measure(&stage.join("dist").join(WHOLE.inline()))?;
    println!(
        "not counted: the copy for where the wasm's URL gives something else, {} in {}",
        grouped(copy),
        WHOLE.engine
    );
    let packed = fs::metadata(tarball)?.len();
    println!("{} ({} bytes)", tarball.display(), grouped(usize::try_from(packed)?));
    ensure!(exceeded.is_empty(), "a page loads more than the budget has: {}", exceeded.join(", "));
    Ok(())
}

fn budget_of(bytes: usize, library: Library) -> usize {
    match library {
        Library::ForSize => bytes,
        Library::Shipped => bytes * (100 + SHIPPED) / 100,
    }
}

fn measure(path: &Path) -> Result<usize> {
    compressed(&fs::read(path).with_context(|| format!("could not read {}", path.display()))?)
}

/// As a web server compresses static files: quality 11 and the largest window of RFC 7932.
fn compressed(content: &[u8]) -> Result<usize> {
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 24, size_hint: content.len(), ..Default::default() };
    let mut output = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut output, &parameters)?;
    Ok(output.len())
}

/// 61234 as "61 234".
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_in_groups_of_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (60_000, "60 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn brotli_as_a_reference_encoder_has_it() {
        assert!(compressed(&[b'a'; 100_000]).unwrap() < 50);
        assert!(compressed(b"").unwrap() <= 2);
    }
}
