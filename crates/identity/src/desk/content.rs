//! The content of an approval in canonical form: members sorted by the bytes of their names, no blanks, whole numbers only. Its SHA-256 is
//! what is confirmed.

use serde_json::Value;
use weir_base::crypto::sha256;

use super::limits::{CONTENT_BYTES, CONTENT_DEPTH};
use super::refused::Refused;

/// A SHA-256 over a canonical content.
pub type Digest = [u8; 32];

/// The canonical form.
///
/// # Errors
/// [`Refused::Bad`] for a number that is not whole, for too much depth, and for too many bytes.
pub fn canonical(content: &Value) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::new();
    write(content, &mut out, 0)?;
    Ok(out)
}

/// The digest of the canonical form.
///
/// # Errors
/// As [`canonical`].
pub fn digest(content: &Value) -> Result<Digest, Refused> {
    canonical(content).map(|bytes| sha256(&bytes))
}

/// A digest as hex digits.
pub fn hex(digest: &Digest) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Refused> {
    if depth > CONTENT_DEPTH || out.len() > CONTENT_BYTES {
        return Err(Refused::bad("content", "The content is too deep or too long."));
    }
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(yes) => out.extend(if *yes { &b"true"[..] } else { b"false" }),
        Value::Number(n) if n.is_i64() || n.is_u64() => out.extend(n.to_string().bytes()),
        Value::Number(_) => return Err(Refused::bad("content", "The content has a number that is not whole.")),
        Value::String(text) => quote(text, out),
        Value::Array(list) => {
            out.push(b'[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (i, (name, item)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                quote(name, out);
                out.push(b':');
                write(item, out, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    if out.len() > CONTENT_BYTES {
        return Err(Refused::bad("content", "The content is too long."));
    }
    Ok(())
}

/// A text in quotes: only `"`, `\` and control characters are escaped, as RFC 8785 section 3.2.2.2 does.
fn quote(text: &str, out: &mut Vec<u8>) {
    drop(serde_json::to_writer(out, text));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_canonical_form_does_not_depend_on_order() {
        let a: Value = serde_json::from_str(r#"{ "b": [1, null, true], "a": {"y": "\u00e9\n\"", "x": -7} }"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":{"x":-7,"y":"é\n\""},"b":[1,null,true]}"#).unwrap();
        assert_eq!(canonical(&a).unwrap(), "{\"a\":{\"x\":-7,\"y\":\"é\\n\\\"\"},\"b\":[1,null,true]}".as_bytes());
        assert_eq!(digest(&a), digest(&b));
        // sha256sum of the line above.
        assert_eq!(hex(&digest(&json!({})).unwrap()), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }

    #[test]
    fn what_has_no_one_form_is_refused() {
        let mut deep = json!(1);
        for _ in 0..=CONTENT_DEPTH {
            deep = json!([deep]);
        }
        for bad in [json!(1.5), json!({"a": 1e30}), deep, json!("x".repeat(CONTENT_BYTES)), json!(vec![json!(1); CONTENT_BYTES])] {
            assert!(canonical(&bad).is_err());
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|m| Value::from(m.into_iter().collect::<serde_json::Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_canonical_form_reads_back_and_tells_contents_apart(a in value(), b in value()) {
            let bytes = canonical(&a).unwrap();
            let back: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&back, &a);
            prop_assert_eq!(canonical(&b).unwrap() == bytes, a == b);
        }
    }
}
