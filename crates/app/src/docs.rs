//! Documents the program prints of itself: `docs/records.md`, every record kind and field, written from the field dictionary, and
//! `docs/openapi.json`, the desk's API as it is served.

use std::fmt::Write;

use weir_record::{KeyClass, Kind, Spec};

const HEAD: &str = "\
# Records

This page is printed by `weir docs records`; `cargo xtask docs` writes it anew. Formats byte by byte: [formats](formats/log.md).

Types: `u8` to `u64` are unsigned numbers, `time` is milliseconds since 1970-01-01T00:00:00Z, `id128` is a random id, `address` is 16 bytes with
IPv4 as `::ffff:a.b.c.d`. `?` marks a field that may have no value.

What a field says about a person: `plain` nothing; `identifier` points at a person without naming them, and views show it re-keyed a statement;
`person` names them, and only `binding` has such a field; `raw` may hold anything, and `sealed` is encrypted once more: views never show these three.

Kept: `network` from 184 days (never less than 60) to the ceiling, 7 days more by default; `ledger` three years; `forever` is free of personal data.
";

/// The page.
pub fn records() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n| kind | code | version | kept | keys held by | day of |\n| --- | ---: | ---: | --- | --- | --- |\n");
    for kind in Kind::ALL {
        let s = kind.spec();
        let kept = if s.transient { "write-ahead log and memory" } else { s.retention.name() };
        let _ = writeln!(out, "| [{0}](#{0}) | {1} | {2} | {kept} | {3} | `{4}` |", s.name, s.code, s.version, keys(s.keys), s.time);
    }
    Kind::ALL.iter().for_each(|kind| section(kind.spec(), &mut out));
    out
}

/// The desk's API, ending with a newline.
pub fn openapi() -> String {
    format!("{}\n", weir_web::openapi().trim_end())
}

fn keys(class: KeyClass) -> &'static str {
    match class {
        KeyClass::Records => "look-up, views, exports",
        KeyClass::Binding => "an approved case or own access",
        KeyClass::Raw => "as bindings'",
        KeyClass::Ledger => "the audit administrator",
    }
}

fn section(spec: &Spec, out: &mut String) {
    let _ = write!(out, "\n## {}\n\n{}\n", spec.name, spec.doc);
    if spec.transient {
        out.push_str("\nRows of this kind are never sealed as they are.\n");
    }
    out.push_str("\n| field | type | unit | key | class | meaning |\n| --- | --- | --- | --- | --- | --- |\n");
    for f in spec.fields {
        let (null, key) = (if f.nullable { "?" } else { "" }, if f.key { "yes" } else { "" });
        let _ = writeln!(
            out,
            "| `{}` | {}{null} | {} | {key} | {} | {} |",
            f.name,
            f.ty.name(),
            f.unit,
            f.class.name(),
            f.doc.replace('|', "\\|")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_fresh() {
        let path = weir_testkit::package().join("../../docs/records.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == records(), "docs/records.md is stale: run `cargo xtask docs`");
    }

    #[test]
    fn the_api_in_docs_is_fresh() {
        let path = weir_testkit::package().join("../../docs/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == openapi(), "docs/openapi.json is stale: run `cargo xtask docs`");
        let page: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert!(page["paths"]["/api/v1/lookup"]["post"].is_object(), "the page names the look-up");
    }

    #[test]
    fn every_field_of_every_kind_is_there() {
        let page = records();
        for kind in Kind::ALL {
            let section = page.split(&format!("\n## {kind}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
            for field in kind.spec().fields {
                assert!(section.contains(&format!("| `{}` | {}", field.name, field.ty.name())), "{kind}.{}", field.name);
            }
        }
    }
}
