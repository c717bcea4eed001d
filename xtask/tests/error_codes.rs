//! The error codes stand once in the crate, `codes!` in `src/error.rs`. What the package says of them must be the same: the type in
//! `index.d.ts`, the list of the retryable ones in the face, and the tables of both READMEs.

use std::fs;
use std::path::Path;

use partway::error::Code;

/// A code, and whether another try may succeed.
type Row = (String, bool);

#[test]
fn the_declarations_have_the_crates_codes() {
    assert_eq!(union("UploadErrorCode", &read("pkg/index.d.ts")), names(Code::ALL));
}

#[test]
fn the_face_has_the_retryable_ones() {
    let retryable: Vec<Code> = Code::ALL.iter().copied().filter(|code| code.retryable()).collect();
    assert_eq!(set("RETRYABLE", &read("pkg/api/error-codes.ts")), names(&retryable));
}

#[test]
fn the_packages_readme_has_them_in_their_order() {
    assert_eq!(table(&read("pkg/README.md")), expected());
}

#[test]
fn the_repositorys_readme_has_them_if_it_has_a_table() {
    // It may put several codes into one row.
    let mut rows = table(&read("README.md"));
    if rows.is_empty() {
        return;
    }
    let mut expected = expected();
    rows.sort_unstable();
    expected.sort_unstable();
    assert_eq!(rows, expected);
}

#[test]
fn every_kind_of_list_is_read_whole() {
    assert_eq!(union("Kind", "export type Kind =\n  | \"a\"\n  | \"b\";\ntype Other = \"c\";"), ["a", "b"]);
    assert_eq!(
        set("KINDS", "const KINDS: ReadonlySet<Kind> = new Set([\n  \"a\",\n  \"b\",\n] satisfies Kind[]);"),
        ["a", "b"]
    );
    let text = "| code | means | `retryable` |\n| --- | --- | --- |\n| `a` | x `y` | no |\n| `b`, `c` | z | yes, **no** |\n\n| `d` | - | no |";
    let rows = [("a", false), ("b", true), ("c", false)].map(|(code, retryable)| (code.to_owned(), retryable));
    assert_eq!(table(text), rows);
}

fn expected() -> Vec<Row> {
    Code::ALL.iter().map(|code| (code.as_str().to_owned(), code.retryable())).collect()
}

fn names(codes: &[Code]) -> Vec<&'static str> {
    codes.iter().map(|code| code.as_str()).collect()
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts of a TypeScript type that is a union of them.
fn union<'a>(name: &str, source: &'a str) -> Vec<&'a str> {
    quoted(between(source, &format!("export type {name} ="), ";"))
}

/// The texts in a TypeScript constant that is a `Set` of them.
fn set<'a>(name: &str, source: &'a str) -> Vec<&'a str> {
    quoted(between(between(source, &format!("const {name}:"), ";"), "new Set([", "]"))
}

fn between<'a>(source: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = source.split_once(from).unwrap_or_else(|| panic!("there is no `{from}`"));
    rest.split_once(to).unwrap_or_else(|| panic!("`{from}` has no end `{to}`")).0
}

fn quoted(source: &str) -> Vec<&str> {
    source.split('"').skip(1).step_by(2).collect()
}

/// The rows of the Markdown table whose first column is called "code". One that has several codes has an answer for each, or one for
/// all.
fn table(markdown: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let lines = markdown.lines().skip_while(|line| !line.starts_with("| code |"));
    for line in lines.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [codes, _, answers] = cells[..] else { panic!("the row has {} columns, not 3: {line}", cells.len()) };
        let codes: Vec<&str> = codes.split('`').skip(1).step_by(2).collect();
        let answers: Vec<bool> = answers.split(',').map(|answer| is_yes(answer.trim().trim_matches('*'))).collect();
        assert!(answers.len() == 1 || answers.len() == codes.len(), "an answer is missing: {line}");
        rows.extend(codes.iter().enumerate().map(|(index, code)| ((*code).to_owned(), answers[index % answers.len()])));
    }
    rows
}

fn is_yes(answer: &str) -> bool {
    assert!(answer == "yes" || answer == "no", "neither yes nor no: {answer}");
    answer == "yes"
}
