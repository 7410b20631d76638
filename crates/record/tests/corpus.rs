//! Every input that fuzzing kept is read again: none may panic.

use weir_record::fuzz;
use weir_testkit::corpus::replay;

#[test]
fn kept_inputs_never_panic() {
    replay("record_group", fuzz::record_group);
    replay("record_frame", fuzz::record_frame);
    replay("record_keyring", fuzz::record_keyring);
    replay("record_state", fuzz::record_state);
    replay("record_stage", fuzz::record_stage);
    replay("record_table", fuzz::record_table);
    replay("record_words", fuzz::record_words);
    replay("record_map", fuzz::record_map);
    replay("record_page", fuzz::record_page);
}
