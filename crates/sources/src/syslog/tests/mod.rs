mod golden;
#[path = "../../radius/tests/sink.rs"]
mod sink;
mod whole;
