//! Every input that fuzzing kept is read again: none may panic.

use std::fs;
use std::path::Path;

fn replay(target: &str, parse: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        parse(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{} holds no input", folder.display());
}

#[test]
fn kept_inputs_never_panic() {
    replay("seal_note", weir_seal::fuzz::fuzz_note);
    replay("seal_checkpoint", weir_seal::fuzz::fuzz_checkpoint);
    replay("seal_entry", weir_seal::fuzz::fuzz_entry);
    replay("seal_sidecar", weir_seal::fuzz::fuzz_sidecar);
    replay("seal_bundle", weir_seal::fuzz::fuzz_bundle);
}
