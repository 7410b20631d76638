//! What goes by without being looked at holds nothing, wherever it stands among the bytes that are looked at together.

use super::super::dialect::{Dialect, Table};
use super::super::line;
use super::*;

/// Before and behind what a text tells: so many bytes that end, or begin, with a space.
fn beside(filler: &str, bytes: usize) -> String {
    let all = filler.repeat(bytes / filler.len() + 1);
    all[all.len() - bytes..].to_owned()
}

/// What is known before a text is walked.
#[derive(Clone, Copy, Default)]
struct Before<'a> {
    accounts: &'a [&'a str],
    found: &'a [Entry<'a>],
    command: bool,
}

impl Before<'_> {
    fn walk(&self, text: &str, pass: bool) -> String {
        let (mut out, mut redactor) = (String::new(), Redactor::default());
        self.accounts.iter().for_each(|account| redactor.account(account));
        redactor.found(self.found);
        redactor.is_command(self.command);
        if pass {
            redactor.walk::<true>(text, &mut out)
        } else {
            redactor.walk::<false>(text, &mut out)
        }
        out
    }

    /// Holds both walks against each other with the text at every place; gives how it is shown where it stands alone.
    fn everywhere(&self, text: &str) -> String {
        for filler in [" ", "xyz. "] {
            for before in 0..140 {
                for behind in [0, 1, 2, 3, 80] {
                    let whole = format!("{}{text}{}", beside(filler, before), " ".repeat(behind));
                    assert_eq!(self.walk(&whole, true), self.walk(&whole, false), "{whole:?}");
                }
            }
        }
        self.walk(text, true)
    }
}

#[test]
fn values_are_found_wherever_they_stand() {
    for (text, want) in [
        ("192.0.2.7", "<ADDR1>"),
        ("192.0.2.7:80 192.0.2.7", "<ADDR1>:80 <ADDR1>"),
        ("::1", "<ADDR1>"),
        ("2001:db8::1", "<ADDR1>"),
        ("1:2:3:4:5:6:192.0.2.1", "<ADDR1>"),
        ("fe80::1%eth0", "<ADDR1>"),
        ("00:11:22:33:44:55", "<MAC1>"),
        ("00-11-22-33-44-55", "<MAC1>"),
        ("0011-2233-4455", "<MAC1>"),
        ("0011.2233.4455", "<MAC1>"),
        ("0011:2233:4455", "<MAC1>"),
        ("00:01:00:01:2a:b3:c4:d5:00:11:22:33:44:55", "<MAC1>"),
        ("13800138000", "<PHONE1>"),
        ("8613800138000", "<PHONE1>"),
        ("+4930123456", "<PHONE1>"),
        ("11010519491231002X", "<CERT1>"),
        ("user=bobby met bobby", "user=<USER1> met <USER1>"),
        ("user=k met k", "user=<USER1> met <USER1>"),
        ("用户名：张三 met 张三", "用户名：<USER1> met <USER1>"),
        ("x_password=s3", "x_password=<SECRET>"),
        ("PassWord=s3", "PassWord=<SECRET>"),
        ("密码：geheim", "密码：<SECRET>"),
        ("session opened for bob by eve", "session opened for <USER1> by <USER2>"),
    ] {
        assert_eq!(Before::default().everywhere(text), want, "{text}");
    }
}

#[test]
fn all_values_of_a_line_are_known_however_many() {
    let text: String = (1..12).map(|n| format!("user=aaa{n} ")).collect();
    let shown = Before::default().everywhere(&format!("{text}and aaa9, aaa11"));
    assert!(shown.ends_with("and <USER9>, <USER11>"), "{shown}");
}

#[test]
fn accounts_of_any_length_are_known() {
    for account in ["bob", "eve.li", "k2", "k", "-x-", ".x", "张三", "张3", "é1"] {
        let shown = Before { accounts: &[account], ..Before::default() }.everywhere(&format!("met {account} {account}"));
        assert_eq!(shown, "met <USER1> <USER1>", "{account}");
    }
}

#[test]
fn options_of_commands_are_found_wherever_they_stand() {
    let command = Before { command: true, ..Before::default() };
    for (text, want) in [("mysql -phunter2 db", "mysql -p<SECRET> db"), ("curl -u bob:geheim x", "curl -u <SECRET> x")] {
        assert_eq!(command.everywhere(text), want, "{text}");
    }
}

#[test]
fn what_a_dialect_found_is_found_behind_letters_wherever_it_stands() {
    let dialect = "name = \"own\"\ntitle = \"own\"\n[[rule]]\nevent = \"sign-in\"\nmatch = \"from {address} {mac} {client}\"\n";
    let (table, only) = (Table::new(vec![Dialect::parse(dialect).unwrap()]), ["own".to_owned()]);
    let line = line::parse("<13>Nov 22 10:00:00 h own: from 192.0.2.1 00:11:22:33:44:55 bob-pc");
    let understood = table.understand(&line, &only).unwrap();
    let found = Before { found: &understood.entries, ..Before::default() };
    for (text, want) in [("ip192.0.2.1", "ip<ADDR1>"), ("eth00:11:22:33:44:55", "eth<MAC1>"), ("x:192.0.2.1 bob-pc", "x:<ADDR1> <USER1>")] {
        assert_eq!(found.everywhere(text), want, "{text}");
    }
}

#[test]
fn no_word_that_leads_to_something_goes_by() {
    let next = |text: &str| Ahead::of(text).next(0, &Known::default(), false);
    for lists in [labels::LISTS, secrets::LISTS] {
        for word in lists.iter().copied().flatten().filter(|w| w.bytes().all(is_word)) {
            for text in [format!("{word}=x"), format!("{}: x", word.to_uppercase()), format!("{word} x"), (*word).to_owned()] {
                for before in 0..140 {
                    for behind in [0, 1, 2, 3, 80] {
                        let whole = format!("{}{text}{}", beside(". ", before), " ".repeat(behind));
                        assert_eq!(next(&whole), before, "{whole:?}");
                    }
                }
            }
        }
    }
    // What holds nothing is passed.
    for text in ["session opened", "0.0213 4385.scope [350.000779] eth1: a:xy; 2026/11/30 12345:6"] {
        assert_eq!(next(text), text.len(), "{text}");
    }
}
