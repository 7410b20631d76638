//! Sign-ins, sign-outs and what goes with them: clause 7.3.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, RecordBatch, StringBuilder, TimestampMillisecondArray, UInt8Array, UInt16Builder, UInt32Array,
};
use arrow::buffer::Buffer;
use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::{Id, UTC};
use crate::kind::Kind;
use crate::macros::record;

record! {
    "One sign-in, sign-out, failed sign-in, change of privilege or change of configuration that a device or a program told of. Accounts are opaque ids; their values are in `binding`."
    Authentication = 22, "authentication", version 1, Network, Records, time "time";
    time: Millis = "When it happened, by the clock of who told", unit "ms UTC", Plain, key;
    received: Millis = "When it arrived here", unit "ms UTC", Plain;
    source: u32 = "Number of the source that told (`source_entry`)", unit "", Plain, key;
    realm: u32 = "Number of the realm (`source_entry`)", unit "", Plain, key;
    action: u8 = "1 sign-in, 2 sign-out, 3 failed sign-in, 4 change of privilege, 5 change of configuration", unit "", Plain, key;
    account: Option<Id> = "Opaque id of the account that acted", unit "", Identifier, key;
    target: Option<Id> = "Opaque id of the account it became or changed", unit "", Identifier, key;
    address: Option<Addr16> = "Where it came from", unit "", Identifier, key;
    port: Option<u16> = "The port it came from (RFC 6302)", unit "", Plain;
    host: Option<String> = "The machine or device", unit "", Plain, key;
    service: String = "The program or service, e.g. sshd", unit "", Plain, key;
    method: Option<String> = "How: password, publickey, console, ssh, …", unit "", Plain;
    terminal: Option<String> = "Terminal or line, e.g. pts/0, vty2", unit "", Plain;
    detail: Option<String> = "What was done, e.g. the command; redacted. Of the desk: turned-away tries=N for tries that had to wait, N since the record before", unit "", Plain;
    dialect: String = "The dialect that understood the line", unit "", Plain;
    line: Option<Id> = "`maintenance.text` of the line it was read from", unit "", Plain;
}

/// A row of [`Authentication`] whose texts lie elsewhere.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // The fields are those of `Authentication`.
pub struct AuthenticationRow<'a> {
    pub time: Millis,
    pub received: Millis,
    pub source: u32,
    pub realm: u32,
    pub action: u8,
    pub account: Option<Id>,
    pub target: Option<Id>,
    pub address: Option<Addr16>,
    pub port: Option<u16>,
    pub host: Option<&'a str>,
    pub service: &'a str,
    pub method: Option<&'a str>,
    pub terminal: Option<&'a str>,
    pub detail: Option<&'a str>,
    pub dialect: &'a str,
    pub line: Option<Id>,
}

/// Values of 16 bytes under construction, some of them none.
#[derive(Debug)]
struct Fixed {
    values: Vec<[u8; 16]>,
    nulls: NullBufferBuilder,
}

impl Default for Fixed {
    fn default() -> Fixed {
        Fixed { values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }
}

impl Fixed {
    fn push(&mut self, value: Option<[u8; 16]>) {
        self.values.push(value.unwrap_or_default());
        self.nulls.append(value.is_some());
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(FixedSizeBinaryArray::new(16, Buffer::from_vec(self.values.into_flattened()), self.nulls.finish()))
    }
}

/// Columns of [`Authentication`] under construction: each text is copied once, into its column.
#[derive(Debug, Default)]
pub struct AuthenticationColumns {
    time: Vec<i64>,
    received: Vec<i64>,
    source: Vec<u32>,
    realm: Vec<u32>,
    action: Vec<u8>,
    account: Fixed,
    target: Fixed,
    address: Fixed,
    port: UInt16Builder,
    host: StringBuilder,
    service: StringBuilder,
    method: StringBuilder,
    terminal: StringBuilder,
    detail: StringBuilder,
    dialect: StringBuilder,
    line: Fixed,
}

impl AuthenticationColumns {
    /// Rows so far.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Appends a row.
    pub fn push(&mut self, row: &AuthenticationRow<'_>) {
        self.time.push(row.time.0);
        self.received.push(row.received.0);
        self.source.push(row.source);
        self.realm.push(row.realm);
        self.action.push(row.action);
        self.account.push(row.account.map(|id| id.0));
        self.target.push(row.target.map(|id| id.0));
        self.address.push(row.address.map(|address| address.0));
        self.port.append_option(row.port);
        self.host.append_option(row.host);
        self.service.append_value(row.service);
        self.method.append_option(row.method);
        self.terminal.append_option(row.terminal);
        self.detail.append_option(row.detail);
        self.dialect.append_value(row.dialect);
        self.line.push(row.line.map(|id| id.0));
    }

    /// All of it as a batch.
    ///
    /// # Panics
    /// Never: the columns have one length.
    pub fn into_batch(mut self) -> RecordBatch {
        let time = |times: Vec<i64>| Arc::new(TimestampMillisecondArray::from(times).with_timezone(UTC)) as ArrayRef;
        let text = |mut column: StringBuilder| Arc::new(column.finish()) as ArrayRef;
        let columns: Vec<ArrayRef> = vec![
            time(self.time),
            time(self.received),
            Arc::new(UInt32Array::from(self.source)),
            Arc::new(UInt32Array::from(self.realm)),
            Arc::new(UInt8Array::from(self.action)),
            self.account.finish(),
            self.target.finish(),
            self.address.finish(),
            Arc::new(self.port.finish()),
            text(self.host),
            text(self.service),
            text(self.method),
            text(self.terminal),
            text(self.detail),
            text(self.dialect),
            self.line.finish(),
        ];
        RecordBatch::try_new(Kind::Authentication.schema(), columns).expect("columns of one length")
    }
}

/// `authentication.action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AuthAction {
    /// Somebody signed in.
    SignIn = 1,
    /// Somebody signed out.
    SignOut = 2,
    /// A sign-in failed.
    Failure = 3,
    /// Somebody got the rights of another account, or lost them.
    Privilege = 4,
    /// The configuration was changed.
    Configuration = 5,
}

impl AuthAction {
    /// Every action.
    pub const ALL: [AuthAction; 5] =
        [AuthAction::SignIn, AuthAction::SignOut, AuthAction::Failure, AuthAction::Privilege, AuthAction::Configuration];

    /// The word used in dialects and lists.
    pub fn name(self) -> &'static str {
        match self {
            AuthAction::SignIn => "sign-in",
            AuthAction::SignOut => "sign-out",
            AuthAction::Failure => "failure",
            AuthAction::Privilege => "privilege",
            AuthAction::Configuration => "configuration",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Record;

    #[test]
    fn columns_and_rows_agree() {
        let (mut columns, mut rows) = (AuthenticationColumns::default(), Vec::new());
        for n in 0..12u8 {
            let some = |every: u8| n.is_multiple_of(every);
            let id = |every: u8| some(every).then_some(Id([n; 16]));
            let text = |every: u8, what: &str| some(every).then(|| format!("{what}{n}"));
            let row = Authentication {
                time: Millis(1_000 + i64::from(n)),
                received: Millis(7),
                source: 3,
                realm: 4,
                action: n,
                account: id(2),
                target: id(3),
                address: some(4).then_some(Addr16([n; 16])),
                port: some(5).then_some(u16::from(n)),
                host: text(2, "h"),
                service: format!("s{n}"),
                method: text(3, "m"),
                terminal: text(4, "t"),
                detail: text(5, "d"),
                dialect: "linux".to_owned(),
                line: id(1),
            };
            columns.push(&AuthenticationRow {
                time: row.time,
                received: row.received,
                source: row.source,
                realm: row.realm,
                action: row.action,
                account: row.account,
                target: row.target,
                address: row.address,
                port: row.port,
                host: row.host.as_deref(),
                service: &row.service,
                method: row.method.as_deref(),
                terminal: row.terminal.as_deref(),
                detail: row.detail.as_deref(),
                dialect: &row.dialect,
                line: row.line,
            });
            rows.push(row);
        }
        assert_eq!(columns.len(), 12);
        let batch = columns.into_batch();
        assert_eq!(batch, Authentication::batch(&rows));
        assert_eq!(Authentication::rows(&batch), rows);
    }
}
