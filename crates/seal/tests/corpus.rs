//! Every input that fuzzing kept is read again: none may panic.

use weir_testkit::corpus::replay;

#[test]
fn kept_inputs_never_panic() {
    replay("seal_note", weir_seal::fuzz::fuzz_note);
    replay("seal_checkpoint", weir_seal::fuzz::fuzz_checkpoint);
    replay("seal_entry", weir_seal::fuzz::fuzz_entry);
    replay("seal_sidecar", weir_seal::fuzz::fuzz_sidecar);
    replay("seal_bundle", weir_seal::fuzz::fuzz_bundle);
}
