//! Dialect files: the program's own, and what is wrong with others.

use super::*;

#[test]
fn every_dialect_of_the_program_is_read() {
    for (name, text) in BUILT_IN {
        let dialect = Dialect::parse(text).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
        assert_eq!(dialect.name, *name);
        assert!(!dialect.title.is_empty());
    }
    assert_eq!(Table::built_in().len(), BUILT_IN.len());
}

#[test]
fn every_problem_of_a_file_is_told() {
    let text = "name = \"a b\"\ntitle = \"\"\n[[rule]]\nevent = \"login\"\nmatch = \"x\"\n[[rule]]\nevent = \"sign-in\"\n\
                [[rule]]\nevent = \"nat-begin\"\nmatch = \"{public}:{public_port}\"\n[[rule]]\nevent = \"sign-in\"\nmatch = \"{who}\"\n\
                [[rule]]\nevent = \"sign-in\"\nset = { colour = \"red\" }\nmatch = \"a\"\n[[rule]]\nevent = \"sign-in\"\nmatch = \"a\"\nsplit = \"ab\"\n";
    let problems = Dialect::parse(text).unwrap_err();
    let starts = [
        "name =",
        "rule 1: event \"login\"",
        "rule 2: says nothing",
        "rule 3: an event",
        "rule 4: {who}",
        "rule 5: \"colour\"",
        "rule 6: split",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
    assert_eq!(Dialect::parse("name = 1").unwrap_err().len(), 1);
    assert!(Dialect::parse("name = \"x\"\ntitle = \"\"").unwrap_err().iter().any(|p| p.contains("0 rules")));
}
