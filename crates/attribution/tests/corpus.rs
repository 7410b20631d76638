//! Every input that fuzzing kept is read again: none may panic.

use weir_testkit::corpus::replay;

#[test]
fn kept_inputs_never_panic() {
    replay("attribution_words", weir_attribution::fuzz::attribution_words);
}
