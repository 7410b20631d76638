//! Statements of SQL, from the desk and from the socket: few at once, apart from everything else; in the ledger before anything is read, and again
//! when they have ended, however they did.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use weir_base::task::Stop;
use weir_base::time::Millis;
use weir_query::QueryError;
use weir_query::sql::watch::{During, Why};
use weir_query::unrecognised::{self, Group, Grouped};
use weir_record::Kind;

use crate::fail::{Failure, USAGE};
use crate::ledger;
use crate::limits::{RECORDS_MAX, SQL_STATEMENTS};
use crate::socket::ops::Service;
use crate::views;

/// Statements under way.
pub struct Statements {
    places: Arc<AtomicUsize>,
    /// Those whose begin is in the ledger and whose end is not.
    begun: Arc<AtomicUsize>,
    stop: Stop,
    within: Duration,
}

/// A place among them; given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    /// One of these, and how many there were before.
    fn take(of: &Arc<AtomicUsize>) -> (Place, usize) {
        let before = of.fetch_add(1, Ordering::SeqCst);
        (Place(Arc::clone(of)), before)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Refused {
    /// In words.
    pub failure: Failure,
    /// The same statement may be answered later.
    pub later: bool,
}

impl Refused {
    fn later(failure: Failure) -> Refused {
        Refused { failure, later: true }
    }
}

impl Statements {
    /// None yet; each may run so long.
    pub fn new(within: Duration) -> Statements {
        Statements { places: Arc::default(), begun: Arc::default(), stop: Stop::new(), within }
    }

    /// How many read now: their begin is in the ledger, their end is not yet.
    pub fn under_way(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Ends those under way and takes no more.
    pub fn stop(&self) {
        self.stop.raise();
    }

    fn enter(&self) -> Result<Place, Failure> {
        if self.stop.is_raised() {
            return Err(Failure::new(Why::Stopping.what(), Why::Stopping.todo()));
        }
        let (place, before) = Place::take(&self.places);
        if before >= SQL_STATEMENTS {
            return Err(Failure::new(
                format!("{SQL_STATEMENTS} statements are under way already"),
                "send it again when one of them has ended; each ends after a while by itself",
            ));
        }
        Ok(place)
    }
}

/// Runs a statement over the masking views; the ledger's is among them for who may read the `ledger`. `gone` says that nobody waits for it any more.
///
/// # Errors
/// Why it is not answered; where it was begun the ledger has its end too.
pub fn run(service: &Service, actor: &str, ledger: bool, statement: &str, gone: &dyn Fn() -> bool) -> Result<Value, Refused> {
    let (all, clock) = (&service.statements, service.clock.as_ref());
    let place = all.enter().map_err(Refused::later)?;
    let commit = |asked| ledger::commit(&service.store, service.front.as_ref(), &[asked]).map_err(Refused::later);
    let act = views::asked(clock.now(), actor, "sql", statement, None);
    commit(act.begun(0))?;
    let _begun = Place::take(&all.begun);
    let over = || all.stop.is_raised().then_some(Why::Stopping).or_else(|| gone().then_some(Why::Gone));
    let result = views::sql(&service.store, statement, ledger, &During { clock, within: all.within, over: &over }, Box::new(place));
    commit(act.ended(clock.now(), outcome(&result), result.as_ref().map_or(0, ledger::rows)))?;
    result.map_err(|e| Refused { later: matches!(e, QueryError::Ended(Why::Gone | Why::Stopping)), failure: refused(e, all.within) })
}

/// Lines of a span that no dialect understands, counted by sender and program. They are read as a statement is: few at once, for a while, with a begin
/// and an end in the ledger.
///
/// # Errors
/// Why it is not answered.
pub fn unrecognised(
    service: &Service,
    actor: &str,
    span: (Option<String>, Option<String>),
    limit: usize,
    gone: &dyn Fn() -> bool,
) -> Result<Value, Failure> {
    let (all, clock) = (&service.statements, service.clock.as_ref());
    let (kind, (from, to)) = (Kind::Maintenance.name(), span);
    let wanted = views::wanted(kind, from.as_deref(), to.as_deref())?;
    if !(1..=RECORDS_MAX).contains(&limit) {
        return Err(views::beyond());
    }
    let _place = all.enter()?;
    let commit = |asked| ledger::commit(&service.store, service.front.as_ref(), &[asked]);
    let target = format!("{} unrecognised by sender and program", views::target(kind, &from, &to));
    let act = views::asked(clock.now(), actor, "records", &target, None);
    commit(act.begun(0))?;
    let (_begun, began) = (Place::take(&all.begun), clock.monotonic());
    let late = || (clock.monotonic().saturating_sub(began) >= all.within).then_some(Why::TooLong);
    let over = || all.stop.is_raised().then_some(Why::Stopping).or_else(|| gone().then_some(Why::Gone)).or_else(late);
    let result = unrecognised::grouped(&service.store, wanted.from, wanted.to, &over);
    let rows = result.as_ref().map_or(0, |g| g.groups.len().min(limit) as u64);
    commit(act.ended(clock.now(), outcome(&result), rows))?;
    let grouped = result.map_err(|e| match e {
        QueryError::Ended(Why::TooLong) => Failure::usage(
            format!("lines were read for {} s and that was ended", all.within.as_secs()),
            "ask for a shorter span: --from and --to",
        ),
        other => views::failure(other),
    })?;
    Ok(shown(service, &grouped, limit))
}

fn shown(service: &Service, grouped: &Grouped, limit: usize) -> Value {
    let names: HashMap<u32, String> = service.store.sources().into_iter().map(|s| (s.number, s.name)).collect();
    let row = |g: &Group| {
        let sender = names.get(&g.source).cloned().unwrap_or_else(|| g.source.to_string());
        json!({
            "sender": sender, "program": g.app, "message": g.msgid, "lines": g.lines, "last": Millis::to_rfc3339(g.last), "example": g.example,
        })
    };
    let rows: Vec<Value> = grouped.groups.iter().take(limit).map(row).collect();
    let columns = ["sender", "program", "message", "lines", "last", "example"];
    json!({ "columns": columns, "rows": rows, "cut": grouped.groups.len() > limit, "further": grouped.further })
}

/// A statement in the ledger's words.
fn outcome<T>(result: &Result<T, QueryError>) -> &'static str {
    match result {
        Ok(_) => "rows",
        Err(QueryError::Ended(Why::TooLong)) => "too-long",
        Err(QueryError::Ended(Why::TooMany | Why::TooLarge)) => "too-large",
        Err(QueryError::Ended(Why::Gone | Why::Stopping)) => "cancelled",
        Err(_) => "failed",
    }
}

fn refused(error: QueryError, within: Duration) -> Failure {
    match error {
        QueryError::Ended(Why::TooLong) => {
            Failure::usage(format!("the statement ran for {} s and was ended", within.as_secs()), Why::TooLong.todo())
        }
        QueryError::Ended(why @ (Why::TooMany | Why::TooLarge)) => Failure { code: USAGE, ..Failure::new(why.what(), why.todo()) },
        other => views::failure(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_and_given_back() {
        let all = Statements::new(Duration::from_secs(1));
        let places: Vec<Place> = (0..SQL_STATEMENTS).map(|_| all.enter().unwrap()).collect();
        assert!(all.enter().err().unwrap().what.contains("under way already"));
        assert!(all.enter().is_err(), "one that was refused took no place along");
        drop(places);
        let place = all.enter().unwrap();
        drop(place);
        all.stop();
        assert_eq!(all.enter().err().unwrap().what, Why::Stopping.what());
    }

    #[test]
    fn every_end_has_its_word() {
        for (why, word) in [
            (Why::TooLong, "too-long"),
            (Why::TooMany, "too-large"),
            (Why::TooLarge, "too-large"),
            (Why::Gone, "cancelled"),
            (Why::Stopping, "cancelled"),
        ] {
            assert_eq!(outcome::<()>(&Err(QueryError::Ended(why))), word);
            let failure = refused(QueryError::Ended(why), Duration::from_secs(7));
            assert!(!failure.todo.is_empty() && failure.what.contains("ended"), "{failure}");
        }
        assert_eq!(outcome::<()>(&Err(QueryError::NoView("raw"))), "failed");
    }
}
