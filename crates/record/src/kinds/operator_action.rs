//! What operators and the program itself did.

use weir_base::time::Millis;

use crate::macros::record;

record! {
    "Something an operator or the program did: start, stop, seal now, recovery, disk full, a measure's state change."
    OperatorAction = 8, "operator_action", version 1, Forever, Records, time "time";
    time: Millis = "When", unit "ms UTC", Plain, key;
    actor: String = "Who: `account:ID` or `token:ID` of the desk, `uid:N` on the machine, or `weir` for the program itself", unit "", Plain, key;
    action: String = "What: start, stop, seal, recover, disk-full, disk-room, measure-state, key-show, export, …", unit "", Plain, key;
    detail: String = "More, free of personal data", unit "", Plain;
    result: String = "ok or what went wrong", unit "", Plain;
}
