//! Short names where wasm and glue meet.
//!
//! wasm-bindgen's names carry a hash each, which doesn't compress, and stand in both files.

use std::collections::HashMap;

use anyhow::{Result, ensure};

/// What a name in the wasm is called from now on.
pub(super) type Renamed = HashMap<String, String>;

/// The n-th shortest name: a to z, then aa, ab and so on.
pub(super) fn short(mut index: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'a' + (index % 26) as u8));
        if index < 26 {
            return name;
        }
        index = index / 26 - 1;
    }
}

/// The glue with the imports' new names, where it defines them, and the exports', where it calls them.
pub(super) fn apply(glue: &str, imports: &Renamed, exports: &Renamed) -> Result<String> {
    let mut renamed = glue.to_owned();
    for (old, new) in imports {
        let definition = format!(" {old}: ");
        let found = renamed.matches(&definition).count();
        ensure!(found == 1, "the glue defines the import {old} {found} times");
        renamed = renamed.replace(&definition, &format!(" {new}: "));
    }
    Ok(rename_members(&renamed, exports))
}

/// Every `wasm.name`.
fn rename_members(glue: &str, exports: &Renamed) -> String {
    const OBJECT: &str = "wasm.";
    let mut renamed = String::with_capacity(glue.len());
    let mut rest = glue;
    while let Some(position) = rest.find(OBJECT) {
        let (before, member) = rest.split_at(position + OBJECT.len());
        renamed.push_str(before);
        let length = member.find(|character: char| !is_word(character)).unwrap_or(member.len());
        let name = &member[..length];
        let whole = !before[..position].ends_with(is_word);
        renamed.push_str(exports.get(name).filter(|_| whole).map_or(name, String::as_str));
        rest = &member[length..];
    }
    renamed + rest
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_distinct() {
        let names: Vec<_> = (0..2000).map(short).collect();
        assert_eq!(names[..3], ["a", "b", "c"]);
        assert_eq!(names[25..28], ["z", "aa", "ab"]);
        assert_eq!(names[702], "aaa");
        assert_eq!(names.iter().collect::<std::collections::HashSet<_>>().len(), names.len());
    }

    #[test]
    fn renames_definitions_and_calls_and_nothing_else() {
        let renamed = |pairs: &[(&str, &str)]| pairs.iter().map(|(old, new)| ((*old).into(), (*new).into())).collect();
        let imports = renamed(&[("__wbg_new_1", "a")]);
        let exports = renamed(&[("run", "b"), ("run_all", "c")]);
        let glue = "{ __wbg_new_1: function() { wasm.run(wasm.run_all, mywasm.run, wasm.other); } } // run";
        let expected = "{ a: function() { wasm.b(wasm.c, mywasm.run, wasm.other); } } // run";
        assert_eq!(apply(glue, &imports, &exports).unwrap(), expected);
        assert!(apply("", &imports, &exports).is_err());
    }
}
