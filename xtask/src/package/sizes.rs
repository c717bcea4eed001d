//! What a page loads, and how much of it there may be.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use brotli::enc::BrotliEncoderParams;

use super::wasm::Library;
use super::{INLINE, WASM};

/// Bytes, compressed with brotli, of all that a page loads to upload a file. It is what there is, so that it doesn't grow; the aim
/// is 60,000 (ARCHITECTURE.md, "Size").
const fn budget(library: Library) -> usize {
    match library {
        Library::ForSize => 105_500,
        Library::Shipped => 121_500,
    }
}

struct Size {
    raw: usize,
    brotli: usize,
}

/// Prints the sizes, and fails where the budget is exceeded.
pub(super) fn report(stage: &Path, tarball: &Path, library: Library) -> Result<()> {
    let budget = budget(library);
    let script = measure(&stage.join("index.js"))?;
    let wasm = measure(&stage.join("dist").join(WASM))?;
    let inline = measure(&stage.join("dist").join(INLINE))?;
    let page = Size { raw: script.raw + wasm.raw, brotli: script.brotli + wasm.brotli };

    println!("{:<24} {:>9} {:>9}", "", "raw", "brotli");
    line("index.js (face, glue)", &script);
    line(WASM, &wasm);
    line("a page loads", &page);
    println!("{:<24} {:>19}", "budget", grouped(budget));
    println!();
    line(INLINE, &inline);
    println!("  not counted: only loaded where the URL of the wasm gives something else");
    let packed = fs::metadata(tarball)?.len();
    println!("{} ({} bytes)", tarball.display(), grouped(usize::try_from(packed)?));
    ensure!(
        page.brotli <= budget,
        "a page loads {} bytes, which is more than the budget of {}",
        grouped(page.brotli),
        grouped(budget)
    );
    Ok(())
}

fn line(name: &str, size: &Size) {
    println!("{name:<24} {:>9} {:>9}", grouped(size.raw), grouped(size.brotli));
}

fn measure(path: &Path) -> Result<Size> {
    let content = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(Size { raw: content.len(), brotli: compressed(&content)? })
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
