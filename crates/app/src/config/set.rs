//! `--set path.to.key=value`: one value from the command line.

use toml::{Table, Value};

use super::Problem;
use super::schema::{SETTINGS, Shape, did_you_mean, setting_at};

/// Puts the value of `text` into `table`; gives the path back.
///
/// # Errors
/// What is wrong with the text, with the path as far as it is understood.
pub fn apply(table: &mut Table, text: &str) -> Result<String, Problem> {
    let Some((path, value)) = text.split_once('=') else {
        return Err(Problem::new("--set", format!("{text:?} has no \"=\": write --set sources.radius.realm=north")));
    };
    let path = path.trim();
    let Some(setting) = setting_at(path) else {
        let known: Vec<&str> = SETTINGS.iter().map(|s| s.path).collect();
        let hint = did_you_mean(path, &known).map_or_else(
            || "config/full.toml lists every setting; lists of tables are set whole".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        return Err(Problem::new("--set", format!("{path:?} is not a setting: {hint}")));
    };
    let Some(value) = value_of(value.trim(), setting.shape) else {
        return Err(Problem::new(path, format!("--set: {:?} does not fit: write {}", value.trim(), setting.shape.words())));
    };
    put(table, path, value);
    Ok(path.to_owned())
}

/// Puts a value at a path.
pub fn put(table: &mut Table, path: &str, value: Value) {
    let mut at = table;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            at.insert(part.to_owned(), value);
            break;
        }
        let inner = at.entry(part.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        if !inner.is_table() {
            // What stood there is not a section; the walk would say so, but the command line counts more.
            *inner = Value::Table(Table::new());
        }
        let Value::Table(inner) = inner else { break };
        at = inner;
    }
}

/// A value as TOML, or bare text where text is wanted, or texts with commas where a list of texts is.
pub fn value_of(text: &str, shape: Shape) -> Option<Value> {
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("value"));
    match (shape, parsed) {
        (Shape::Text, Some(value @ Value::String(_)))
        | (Shape::Whole, Some(value @ Value::Integer(_)))
        | (Shape::Flag, Some(value @ Value::Boolean(_)))
        | (Shape::Texts | Shape::Tables(_), Some(value @ Value::Array(_))) => Some(value),
        (Shape::Text, _) => Some(Value::String(text.to_owned())),
        (Shape::Texts, _) if text.starts_with('[') => None,
        (Shape::Texts, _) if text.is_empty() => Some(Value::Array(Vec::new())),
        (Shape::Texts, _) => Some(Value::Array(text.split(',').map(|t| Value::String(t.trim().trim_matches('"').to_owned())).collect())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_the_shape_of_the_setting() {
        for (text, want) in [
            ("unit.origin=example.org/weir", "[unit]\norigin = \"example.org/weir\"\n"),
            ("unit.origin=\"a b\"", "[unit]\norigin = \"a b\"\n"),
            ("sources.radius.listen=127.0.0.1:0", "[sources.radius]\nlisten = [\"127.0.0.1:0\"]\n"),
            ("sources.radius.listen=[\"127.0.0.1:0\", \"[::1]:0\"]", "[sources.radius]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\n"),
            ("sources.ipfix.listen_tcp=127.0.0.1:0, 127.0.0.2:0", "[sources.ipfix]\nlisten_tcp = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n"),
            ("store.sm3=true", "[store]\nsm3 = true\n"),
            ("store.unit_rows=7", "[store]\nunit_rows = 7\n"),
            (
                "sources.ipfix.remotes=[{from=\"2026-11-22\", policy=\"keep\"}]",
                "[[sources.ipfix.remotes]]\nfrom = \"2026-11-22\"\npolicy = \"keep\"\n",
            ),
        ] {
            let mut table = Table::new();
            apply(&mut table, text).unwrap();
            assert_eq!(table, want.parse::<Table>().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said_with_a_way_out() {
        for (text, want) in [
            ("store.sm3", "has no \"=\""),
            ("store.smm=true", "did you mean store.sm3?"),
            ("gateway=1", "config/full.toml"),
            ("store.sm3=yes", "true or false"),
            ("store.unit_rows=many", "a whole number"),
            ("sources.radius.listen=[1", "a list of texts"),
            ("sources.radius.clients=x", "a list of tables"),
        ] {
            let problem = apply(&mut Table::new(), text).unwrap_err().to_string();
            assert!(problem.contains(want), "{text}: {problem}");
        }
    }
}
