//! Bindings between opaque ids and the values they stand for.

use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "Which value an opaque id stands for. Recorded again at the first use of the id each key day, so that each day resolves with its own keys."
    Binding = 3, "binding", version 1, Network, Binding, time "time";
    time: Millis = "When it was recorded", unit "ms UTC", Plain, key;
    id: Id = "The opaque id", unit "", Identifier, key;
    realm: u32 = "Number of the realm (`source_entry`)", unit "", Plain;
    id_type: u8 = "1 account (User-Name, RFC 2865, 1), 2 caller number (Calling-Station-Id, RFC 2865, 31), 3 hardware address", unit "", Plain;
    value: String = "The account, caller number or hardware address", unit "", Person, key;
    since: Millis = "When the id began to stand for it", unit "ms UTC", Plain;
}

/// `binding.id_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum IdType {
    /// User-Name.
    Account = 1,
    /// Calling-Station-Id.
    Caller = 2,
    /// A hardware address.
    Hardware = 3,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Raw;

    #[test]
    fn no_debug_form_shows_a_person() {
        let binding = Binding { value: "alice@example.net".into(), id: Id([0xab; 16]), ..Binding::default() };
        let shown = format!("{binding:?} {:?} {:#?}", Some(&binding), [&binding]);
        assert!(!shown.contains("alice"), "{shown}");
        assert!(shown.contains("value: …") && shown.contains("id_type: 0"), "{shown}");
        let raw = Raw { bytes: vec![7, 7, 7], ..Raw::default() };
        assert!(!format!("{raw:?}").contains("7, 7"));
    }
}
