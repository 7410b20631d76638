//! What is wrong with a statement, in plain sentences. Nothing of the statement is repeated: it may hold whatever somebody looks for.

use std::error::Error;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use weir_record::Kind;

use super::watch::{Control, Why};
use crate::QueryError;
use crate::limits::{SQL_WORDS, STATEMENT_BYTES};

const LIKE: &str = "write one SELECT, for example SELECT * FROM gap LIMIT 10";
/// Words that a statement begins with which does more than read.
const CHANGES: [&str; 12] =
    ["ALTER", "ANALYZE", "COPY", "CREATE", "DELETE", "DROP", "INSERT", "MERGE", "RESET", "SET", "TRUNCATE", "UPDATE"];
const ANOTHER: &str = "write it another way";

fn say(what: impl Into<String>, todo: impl Into<String>) -> QueryError {
    QueryError::Statement { what: what.into(), todo: todo.into() }
}

/// The machine gives no more threads, or no room for one.
pub fn no_thread() -> QueryError {
    say("there is no thread for the statement", "raise the limit of threads, or send it again later")
}

/// Refuses what is too long, or so deep that planning it could need more than a thread has.
pub fn fits(statement: &str) -> Result<(), QueryError> {
    if statement.len() > STATEMENT_BYTES {
        return Err(say(format!("the statement is {} bytes long", statement.len()), format!("write at most {STATEMENT_BYTES} bytes")));
    }
    // What is no word at all the reader of statements refuses.
    let tokens = Tokenizer::new(&GenericDialect {}, statement).tokenize().unwrap_or_default();
    let first = tokens.iter().find(|t| !matches!(t, Token::Whitespace(_)));
    if let Some(Token::Word(word)) = first
        && CHANGES.contains(&word.value.to_ascii_uppercase().as_str())
    {
        return Err(say("the statement does not only read", LIKE));
    }
    let counts = |t: &&Token| !matches!(t, Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_));
    match tokens.iter().filter(counts).count() > SQL_WORDS {
        true => Err(say("the statement has too many words and signs", format!("write at most {SQL_WORDS}; values of a list do not count"))),
        false => Ok(()),
    }
}

/// What an error says to a person.
pub fn told(error: &DataFusionError, control: &Control, kinds: &[Kind]) -> QueryError {
    if let Some(why) = control.why() {
        return QueryError::Ended(why);
    }
    let mut at: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(e) = at {
        match e.downcast_ref::<QueryError>() {
            Some(QueryError::Ended(why)) => return QueryError::Ended(*why),
            Some(ours) => return QueryError::Internal(ours.to_string()),
            None => at = e.source(),
        }
    }
    of(error.find_root(), kinds)
}

fn of(root: &DataFusionError, kinds: &[Kind]) -> QueryError {
    match root {
        DataFusionError::Collection(all) => {
            all.first().map_or_else(|| say("the statement cannot be read", LIKE), |e| of(e.find_root(), kinds))
        }
        DataFusionError::SQL(parser, _) => unread(&parser.to_string()),
        DataFusionError::SchemaError(schema, _) => columns(schema),
        DataFusionError::Plan(text) => planned(text, kinds),
        DataFusionError::NotImplemented(text) if text.contains("single SQL statement") => {
            say("there is more than one statement", "send them one by one")
        }
        DataFusionError::NotImplemented(_) => say("the statement uses something that is not supported", ANOTHER),
        DataFusionError::ResourcesExhausted(_) => QueryError::Ended(Why::TooLarge),
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => {
            say("a value cannot be computed, as in a division by zero or a text that is no number", "leave such rows out with WHERE")
        }
        _ => say("the statement cannot be planned", ANOTHER),
    }
}

/// The reader of statements names a place as `at Line: 1, Column: 5`.
fn unread(text: &str) -> QueryError {
    let number = |after: &str| text.split_once(after)?.1.split(|c: char| !c.is_ascii_digit()).next().filter(|n| !n.is_empty());
    match (number("Line: "), number("Column: ")) {
        (Some(line), Some(column)) => say(format!("the statement cannot be read at line {line}, column {column}"), LIKE),
        _ => say("the statement cannot be read", LIKE),
    }
}

fn columns(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { valid_fields, .. } => {
            let mut names: Vec<&str> = valid_fields.iter().map(|c| c.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let todo = if names.is_empty() {
                "see SELECT column_name FROM information_schema.columns; a text stands between single quotes".to_owned()
            } else {
                format!("the columns are {}; a text stands between single quotes", names.join(", "))
            };
            say("there is no column of a name in the statement", todo)
        }
        SchemaError::AmbiguousReference { .. } => {
            say("a column of the statement is in more than one table", "write the table before it, as in a.time")
        }
        SchemaError::DuplicateQualifiedField { .. } | SchemaError::DuplicateUnqualifiedField { .. } => {
            say("two columns of the statement have the same name", "give one of them another name with AS")
        }
    }
}

/// Is the name that the planner thinks of near the one that was written? It always thinks of one.
fn near(text: &str, name: &str) -> bool {
    let written = text.split_once("function '").and_then(|(_, rest)| rest.split_once('\'')).map_or("", |(written, _)| written);
    let most = ((written.chars().count() + 1) / 3).max(1);
    !written.is_empty() && distance(&written.to_lowercase(), &name.to_lowercase()) <= most
}

/// Letters to change, add or leave out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above), diagonal) in b.chars().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

fn planned(text: &str, kinds: &[Kind]) -> QueryError {
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["DDL not supported", "DML not supported", "Statement not supported"]) {
        return say("the statement does not only read", LIKE);
    }
    if has(&["No SQL statements"]) {
        return say("there is no statement", LIKE);
    }
    if has(&["table '", "Table not found", "Failed to resolve"]) {
        let names: Vec<&str> = kinds.iter().map(|k| k.name()).collect();
        return say("there is no table of a name in the statement", format!("the tables are {}", names.join(", ")));
    }
    if has(&["GROUP BY"]) {
        return say("a column is neither in GROUP BY nor in a function such as count", "add it to GROUP BY, or count it");
    }
    if has(&["Invalid function", "nvalid table function", "Table function"]) {
        // Names of functions that there are.
        return match text.split_once("Did you mean '").and_then(|(_, rest)| rest.split_once('\'')) {
            Some((name, _)) if near(text, name) => {
                say("there is no function of a name in the statement", format!("perhaps {name} is meant"))
            }
            _ => say("there is no function of a name in the statement", ANOTHER),
        };
    }
    if has(&["oerc", "No function matches", "Cannot infer", "Cannot get result type", "cast", "must be boolean", "argument"]) {
        return say(
            "types in the statement do not fit together",
            "hold a column against values of its type: SELECT column_name, data_type FROM information_schema.columns",
        );
    }
    say("the statement cannot be planned", ANOTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_proposed_where_its_name_is_near() {
        let said = |text: &str| format!("{:?}", planned(text, &[]));
        for (written, thought, proposed) in
            [("cuont", "count", true), ("substrin", "substring", true), ("repeat", "right", false), ("xyz", "abs", false)]
        {
            let text = format!("Invalid function '{written}'.\nDid you mean '{thought}'?");
            assert_eq!(said(&text).contains("is meant"), proposed, "{written}");
        }
        assert!(!said("Invalid function 'x'").contains("is meant"));
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("same", "same")), (3, 3, 0));
    }
}
