//! The field dictionary: what is known about every field of every kind.

/// The type of a field, and with it its canonical bytes and its Arrow type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Unsigned, 1 byte.
    U8,
    /// Unsigned, 2 bytes, big-endian in canonical bytes.
    U16,
    /// Unsigned, 4 bytes, big-endian in canonical bytes.
    U32,
    /// Unsigned, 8 bytes, big-endian in canonical bytes.
    U64,
    /// Milliseconds since 1970-01-01T00:00:00Z; 8 bytes, two's complement, big-endian in canonical bytes.
    Time,
    /// A random 128-bit id.
    Id,
    /// An address in 16 bytes, IPv4 as IPv4-mapped IPv6.
    Addr,
    /// UTF-8 text; canonical bytes carry its length in 4 bytes before it.
    Text,
    /// Bytes; canonical bytes carry their length in 4 bytes before them.
    Bytes,
}

impl Type {
    /// The name used in documents.
    pub fn name(self) -> &'static str {
        match self {
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::Time => "time",
            Type::Id => "id128",
            Type::Addr => "address",
            Type::Text => "text",
            Type::Bytes => "bytes",
        }
    }

    /// Length of the canonical bytes when it is fixed.
    pub fn fixed_len(self) -> Option<usize> {
        match self {
            Type::U8 => Some(1),
            Type::U16 => Some(2),
            Type::U32 => Some(4),
            Type::U64 | Type::Time => Some(8),
            Type::Id | Type::Addr => Some(16),
            Type::Text | Type::Bytes => None,
        }
    }
}

/// What a field says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing about a person.
    Plain,
    /// Points at a person without naming them: opaque ids, inside and framed addresses, session ids. Views re-key it a statement.
    Identifier,
    /// Names a person: an account, a caller number. Only `binding` records have such a field.
    Person,
    /// May hold anything, for example undecoded bytes. Views never show it.
    Raw,
    /// Encrypted under the ledger's own key.
    Sealed,
}

impl Class {
    /// The name used in documents.
    pub fn name(self) -> &'static str {
        match self {
            Class::Plain => "plain",
            Class::Identifier => "identifier",
            Class::Person => "person",
            Class::Raw => "raw",
            Class::Sealed => "sealed",
        }
    }
}

/// How long a kind is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Network logs: floor 184 days by default, then erased at the ceiling.
    Network,
    /// The ledger: three years.
    Ledger,
    /// For ever; free of personal data.
    Forever,
}

impl Retention {
    /// The name used in documents.
    pub fn name(self) -> &'static str {
        match self {
            Retention::Network => "network",
            Retention::Ledger => "ledger",
            Retention::Forever => "forever",
        }
    }
}

/// Who may hold a kind's day keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClass {
    /// Look-up, masking views and exports.
    Records,
    /// Bindings between ids and persons: only an approved case or own access.
    Binding,
    /// Raw bytes: held as bindings' keys are.
    Raw,
    /// The ledger: the audit administrator.
    Ledger,
}

/// One field of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Column name.
    pub name: &'static str,
    /// Type.
    pub ty: Type,
    /// True when a row may have no value.
    pub nullable: bool,
    /// Unit or form of the value; empty when it has none.
    pub unit: &'static str,
    /// True when the field is part of what a row is found by.
    pub key: bool,
    /// What it says about a person.
    pub class: Class,
    /// What it means, with the standard and number it comes from.
    pub doc: &'static str,
}

/// One kind of record.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Table name.
    pub name: &'static str,
    /// Number in canonical bytes; never used again for another kind.
    pub code: u16,
    /// Version of the field table; part of canonical bytes.
    pub version: u8,
    /// What a row is.
    pub doc: &'static str,
    /// How long it is kept.
    pub retention: Retention,
    /// Who may hold its keys.
    pub keys: KeyClass,
    /// The field that places a row in time: its UTC+8 day is the key day.
    pub time: &'static str,
    /// True for kinds that only live in the write-ahead log and in memory and are sealed as another kind.
    pub transient: bool,
    /// The fields, in canonical order.
    pub fields: &'static [Field],
}

impl Spec {
    /// Position of a field.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }
}
