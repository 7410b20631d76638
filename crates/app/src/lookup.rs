//! `weir lookup`: asks the running program, or off line the folder itself.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};

use crate::ask::{self, Asker};
use crate::cli::LookupArgs;
use crate::fail::Failure;
use crate::program::changes;
use crate::socket::client::Client;
use crate::socket::ops;
use crate::view::{self, Known};
use crate::words::Words;
use crate::{batch, offline, output, paste, side};

/// Runs the command.
pub fn run(args: &LookupArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = &args.batch {
        return batch::run(args, file);
    }
    if let Some(file) = &args.paste {
        return paste::run(args, file);
    }
    let words = Words {
        public: args.public.clone().unwrap_or_default(),
        protocol: args.protocol.clone(),
        at: args.at.clone().unwrap_or_default(),
        remote: args.remote.clone(),
        skew: Some(args.skew.clone()),
    };
    // What is not a question is told before anything is opened or asked.
    words.read()?;
    let mut answer = if args.offline {
        off_line(args, &words)?
    } else {
        let request = json!({ "op": "lookup", "question": words, "purpose": args.purpose.name(), "explain": args.explain });
        Client::connect(&args.data.data)?.call(request)?
    };
    let code = ops::exit_code(&answer);
    let mut take = |key: &str| answer.as_object_mut().and_then(|a| a.remove(key));
    let (summary, explain) = (take("summary"), take("explain"));
    if args.json {
        if let (Some(steps), Value::Object(fields)) = (explain, &mut answer) {
            fields.insert("explain".to_owned(), steps);
        }
        output::json(&answer)?;
    } else {
        let shown = explain.or(summary).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        output::text(&shown)?;
    }
    Ok(ExitCode::from(code))
}

/// Opens the folder without the program. The question is in the side ledger before the answer is shown.
fn off_line(args: &LookupArgs, words: &Words) -> Result<Value, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (opened, origin) = offline::open(&args.data.data, &clock)?;
    let asker = Asker { actor: offline::actor(), purpose: args.purpose.name().to_owned() };
    let known = Known::stored(&changes::last(opened.front.as_ref()));
    let view = view::now(&opened.store, &opened.front, &known);
    let outcome = ask::answer(&opened.store, &view, &origin, &asker, words, clock.now());
    side::append(&opened.store, opened.disk.as_ref(), &outcome.asked)?;
    outcome.answer.map(|answer| ops::shown(&answer, args.explain, outcome.read))
}
