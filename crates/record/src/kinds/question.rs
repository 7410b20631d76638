//! The ledger: every question asked of personal data.

use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "One question asked of the records: who asked, why, what (encrypted), and what came back. Durable before the answer reaches a person."
    Question = 4, "question", version 1, Ledger, Ledger, time "time";
    time: Millis = "When it was asked", unit "ms UTC", Plain, key;
    id: Id = "Id of the question", unit "", Plain, key;
    actor: String = "Who asked: `account:ID` or `token:ID` at the desk, `uid:N` on the socket or off line", unit "", Plain, key;
    purpose: String = "operate, security-event, drill, verify, export, key, sql", unit "", Plain;
    act: String = "What was done: lookup, lookup-batch, records, sql, export, key-show, text, ledger-read, ledger-open, settings-change", unit "", Plain;
    target: Vec<u8> = "The question or statement, encrypted under the ledger's own key (AES-256-GCM: nonce, ciphertext, tag)", unit "", Sealed;
    answer: String = "one, none, several, unknown, rows, begun, ended, refused, failed, cancelled, too-long, too-large", unit "", Plain;
    rows: u64 = "Candidates or rows returned", unit "rows", Plain;
    offline: u8 = "1 when the program was not running and the side ledger took it first", unit "", Plain;
}
