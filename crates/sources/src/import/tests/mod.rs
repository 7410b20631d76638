//! Tables as databases export them (column names: raddb/mods-config/sql/main/*/schema.sql of FreeRADIUS 3.2), and what is wrong with some.

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::kinds::{IdType, Malformed, RadiusSession};

use super::intake::{Intake, Whole};
use super::sessions::{BadLine, Mapping, Past, Times, past};
use super::table::{Record, Table, TableError};
use crate::testing::{CountingIds, MemorySink, Mode};

fn now() -> Millis {
    "2026-11-22T10:00:00+08:00".parse().unwrap()
}

fn times() -> Times {
    Times { zone: "+08:00".into(), now: now() }
}

fn ms(text: &str) -> Option<i64> {
    Some(text.parse::<Millis>().unwrap().0)
}

fn radacct(text: &str) -> Vec<Result<Past, BadLine>> {
    let mut table = Table::open(text.as_bytes(), "radacct").unwrap();
    let mapping = Mapping::radacct(&table.columns).unwrap();
    let columns = table.columns.len();
    let mut all = Vec::new();
    while let Some(record) = table.record().unwrap() {
        all.push(past(&record, columns, &mapping, &times()));
    }
    assert!(table.bytes <= text.len() as u64);
    all
}

#[test]
fn csv_of_postgresql_and_sqlite() {
    let all = radacct(include_str!("../testdata/radacct.csv"));
    let first = all[0].clone().unwrap();
    assert_eq!(
        (first.account.as_deref(), first.start, first.stop),
        (Some("smith, a"), ms("2026-11-20T10:00:00+08:00"), ms("2026-11-20T11:00:00+08:00"))
    );
    assert_eq!(
        (first.address.as_deref(), first.delegated.as_deref(), first.cause),
        (Some("100.64.0.10"), Some("2001:db8:aa00::/56"), Some(1))
    );
    assert_eq!(
        (first.caller.as_deref(), first.input, first.output, first.duration),
        (Some("02-00-00-00-00-0A"), Some(1000), Some(2000), Some(3600))
    );
    let second = all[1].clone().unwrap();
    assert_eq!((second.start, second.stop, second.update), (ms("2026-11-21T10:00:00+08:00"), None, ms("2026-11-21T10:20:00+08:00")));
    assert_eq!((second.address6, second.caller), (None, None));
}

#[test]
fn a_dump_of_postgresql() {
    let all = radacct(include_str!("../testdata/radacct.copy"));
    assert_eq!(all.len(), 2);
    let (first, second) = (all[0].clone().unwrap(), all[1].clone().unwrap());
    assert_eq!((first.account.as_deref(), first.start, first.cause), (Some("smith\\tab"), ms("2026-11-20T10:00:00+08:00"), Some(4)));
    // The begin is the end less the duration; a cause that no standard names is left out.
    assert_eq!((second.start, second.cause), (ms("2026-11-20T10:50:00+08:00"), None));
}

#[test]
fn batch_output_of_mysql_and_other_separators() {
    let tabs = "acctsessionid\tusername\tacctstarttime\tacctstoptime\tframedipaddress\n\
                a1\tsmith\t2026-11-20 10:00:00\t0000-00-00 00:00:00\t100.64.0.10\na2\tNULL\t2026-11-20 10:00:00\tNULL\t100.64.0.11\n";
    let all = radacct(tabs);
    assert_eq!(all[0].as_ref().unwrap().stop, None);
    assert!(all[1].as_ref().unwrap_err().what.contains("neither an account"));
    let mut table = Table::open("\u{feff}When;Who;Where\n2026-11-20 10:00:00;\"a\"\"b\nc\";100.64.0.1\n\n".as_bytes(), "x").unwrap();
    assert_eq!(table.columns, ["when", "who", "where"]);
    let record = table.record().unwrap().unwrap();
    assert_eq!((record.line, record.values[1].as_deref()), (2, Some("a\"b\nc")));
    let pairs: Vec<String> = ["start=When", "account=Who", "address=WHERE"].map(str::to_owned).to_vec();
    let mapping = Mapping::named(&table.columns, &pairs).unwrap();
    assert_eq!(past(&record, 3, &mapping, &times()).unwrap().address.as_deref(), Some("100.64.0.1"));
    assert!(table.record().unwrap().is_none());
    for (pairs, hint) in [
        (&["start"][..], "start=login_time"),
        (&["begin=when"], "no field"),
        (&["start=then"], "no column"),
        (&["start=when", "start=when"], "twice"),
        (&["start=when", "account=who"], "must be named"),
    ] {
        let pairs: Vec<String> = pairs.iter().map(|p| (*p).to_owned()).collect();
        assert!(Mapping::named(&table.columns, &pairs).unwrap_err().contains(hint), "{hint}");
    }
}

#[test]
fn dumps_of_mysql_and_sqlite() {
    let mysql = r"-- MySQL dump 10.13
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `nas`;
CREATE TABLE `nas` (
  `id` int(10) NOT NULL
);
INSERT INTO `nas` VALUES (1);
CREATE TABLE `radacct` (
  `radacctid` bigint(21) NOT NULL AUTO_INCREMENT,
  `acctsessionid` varchar(64) NOT NULL DEFAULT '',
  `username` varchar(64) NOT NULL DEFAULT '',
  `acctstarttime` datetime DEFAULT NULL,
  `acctstoptime` datetime DEFAULT NULL,
  `framedipaddress` varchar(15) NOT NULL DEFAULT '',
  PRIMARY KEY (`radacctid`),
  KEY `username` (`username`)
) ENGINE=InnoDB;
INSERT INTO `radacct` VALUES (1,'s1','o\'neil (a), b','2026-11-20 10:00:00','2026-11-20 11:00:00','100.64.0.10'),(2,'s2','x\\','2026-11-20 10:00:00',NULL,'100.64.0.11');
INSERT INTO `radacct` VALUES (3,'s3','c','2026-11-20 10:00:00',NULL,'100.64.0.12');
";
    let sqlite = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE radacct (\n  radacctid INTEGER PRIMARY KEY,\n  -- a comment\n\
                  acctsessionid TEXT,\n  username TEXT,\n  acctstarttime datetime,\n  acctstoptime datetime,\n  framedipaddress TEXT\n);\n\
                  INSERT INTO radacct VALUES(1,'s1','o''neil (a), b','2026-11-20 10:00:00','2026-11-20 11:00:00','100.64.0.10');\n\
                  INSERT INTO radacct VALUES(2,'s2','x\\','2026-11-20 10:00:00',NULL,'100.64.0.11');\nCREATE INDEX x ON radacct(username);\n\
                  INSERT INTO radacct VALUES(3,'s3','c','2026-11-20 10:00:00',NULL,'100.64.0.12');\nCOMMIT;\n";
    let named = "INSERT INTO radacct (username, acctsessionid, acctstarttime) VALUES ('a', 's', '2026-11-20 10:00:00');\n";
    for dump in [mysql, sqlite] {
        let all: Vec<Past> = radacct(dump).into_iter().map(Result::unwrap).collect();
        let accounts: Vec<&str> = all.iter().map(|p| p.account.as_deref().unwrap()).collect();
        assert_eq!(accounts, ["o'neil (a), b", "x\\", "c"]);
        assert_eq!((all[0].stop, all[1].stop), (ms("2026-11-20T11:00:00+08:00"), None));
    }
    assert_eq!(radacct(named)[0].as_ref().unwrap().session.as_deref(), Some("s"));
    let mut cut = Table::open(&b"INSERT INTO radacct (username) VALUES ('a"[..], "radacct").unwrap();
    assert!(matches!(cut.record(), Err(TableError::TooLong(1))));
}

#[test]
fn what_is_wrong_is_told_by_line_and_without_the_value() {
    let head = "acctsessionid,username,acctstarttime,acctstoptime,acctsessiontime,framedipaddress,nasipaddress\n";
    for (line, what) in [
        ("s,secret,yesterday,,,100.64.0.1,", "start is not a time"),
        ("s,secret,2026-11-20 10:00:00,2026-11-20 09:00:00,,100.64.0.1,", "stop is before start"),
        ("s,secret,2026-11-23 10:00:00,,,100.64.0.1,", "future"),
        ("s,secret,2026-01-20 10:00:00,2026-01-20 11:00:00,,100.64.0.1,", "190 days"),
        ("s,secret,,,60,100.64.0.1,", "neither a start"),
        ("s,,2026-11-20 10:00:00,,,100.64.0.1,", "neither an account"),
        ("s,secret,2026-11-20 10:00:00,,x,100.64.0.1,", "duration is not a whole number"),
        ("s,secret,2026-11-20 10:00:00,,,100.64.0,", "address is not an address"),
        ("s,secret,2026-11-20 10:00:00,,,100.64.0.1,there", "nas is not an address"),
        ("s,secret,2026-11-20 10:00:00", "3 values where 7 columns are"),
    ] {
        let all = radacct(&format!("{head}good,a,2026-11-20 10:00:00,,,100.64.0.1,\n{line}\n"));
        assert!(all[0].is_ok());
        let bad = all[1].clone().unwrap_err();
        assert_eq!(bad.line, 3);
        assert!(bad.what.contains(what) && !bad.what.contains("secret") && !bad.what.contains("100.64"), "{}", bad.what);
    }
    assert!(matches!(Table::open(&b""[..], "radacct"), Err(TableError::NoHeader)));
    assert!(matches!(Table::open(&b"-- a dump\nCREATE TABLE x (\n"[..], "radacct"), Err(TableError::NoHeader)));
    assert!(Mapping::radacct(&["username".to_owned()]).unwrap_err().contains("acctsessionid, acctstarttime"));
    let endless = format!("a,b\n\"{}", "x\n".repeat(1 << 20));
    let mut table = Table::open(endless.as_bytes(), "x").unwrap();
    assert!(matches!(table.record(), Err(TableError::TooLong(2))));
}

#[test]
fn rows_are_marked_and_a_session_has_one_id_however_often_it_comes() {
    let (sink, ids) = (MemorySink::new(), CountingIds::new());
    let all: Vec<Past> = radacct(include_str!("../testdata/radacct.csv")).into_iter().map(Result::unwrap).collect();
    let intake = Intake::new(sink.as_ref(), ids.as_ref(), "old", "north", "radacct.csv").unwrap();
    assert_eq!(Intake::taken(sink.as_ref(), b"digest"), None);
    assert_eq!(intake.take(&all, Some(Whole { file: b"digest", skipped: 3 }), now()), Ok(4));
    assert_eq!(Intake::taken(sink.as_ref(), b"digest"), Some(now()));
    let rows = sink.rows::<RadiusSession>();
    assert_eq!(rows.iter().map(|r| r.status).collect::<Vec<_>>(), [1, 2, 1, 3]);
    assert!(rows.iter().all(|r| r.reason.as_deref() == Some("imported") && r.arrived == now()));
    assert_eq!((rows[0].session, rows[1].terminate_cause, rows[1].input_octets), (rows[1].session, Some(1), Some(1000)));
    assert_eq!(rows[0].subscriber, Some(ids.id(IdType::Account, "smith, a")));
    // The hardware address has the id it has for live sources.
    assert_eq!(rows[0].caller, Some(ids.id(IdType::Hardware, "02:00:00:00:00:0a")));
    assert_eq!((sink.sources()[0].0.kind.as_str(), sink.sources()[0].0.name.as_str()), ("import", "import/old"));
    intake.take(&all, None, now()).unwrap();
    let skipped = sink.rows::<Malformed>();
    let number = sink.sources()[0].1.number;
    assert_eq!((skipped.len(), skipped[0].source, skipped[0].count, skipped[0].raw), (1, number, 3, None));
    assert_eq!(skipped[0].reason, "import.skipped-lines");
    let again = sink.rows::<RadiusSession>();
    assert_eq!(again[4].session, rows[0].session);
    sink.mode(Mode::Full);
    assert!(intake.take(&all, None, now()).is_err());
}

/// Two people whose names differ stay two, whatever the character set of the table; what is neither set is told.
#[test]
fn tables_in_gb18030_and_dates_of_excel() {
    let head = "acctsessionid,username,acctstarttime,acctstoptime,framedipaddress\n";
    let rows = "a1,张三,2026/11/20 10:00,2026/11/20 10:30:15,100.64.0.10\na2,李四,2026/11/5 9:05,,100.64.0.11\n";
    let dump = "INSERT INTO `radacct` (acctsessionid, username, acctstarttime, framedipaddress) VALUES ('a1','张三','2026-11-20 10:00:00','100.64.0.10'),('a2','誠\\'李','2026-11-20 10:00:00','100.64.0.11');\n";
    let read = |bytes: &[u8]| {
        let mut table = Table::open(bytes, "radacct").unwrap();
        let (mapping, columns) = (Mapping::radacct(&table.columns).unwrap(), table.columns.len());
        let mut all = Vec::new();
        while let Some(record) = table.record().unwrap() {
            all.push(past(&record, columns, &mapping, &times()));
        }
        all
    };
    for text in [format!("{head}{rows}"), rows.replace(',', "\t").replacen("", &head.replace(',', "\t"), 1)] {
        let (gb, _, _) = encoding_rs::GB18030.encode(&text);
        for bytes in [text.as_bytes(), &gb] {
            let all: Vec<Past> = read(bytes).into_iter().map(Result::unwrap).collect();
            assert_eq!(all.iter().map(|p| p.account.as_deref().unwrap()).collect::<Vec<_>>(), ["张三", "李四"]);
            assert_eq!((all[0].start, all[0].stop), (ms("2026-11-20T10:00:00+08:00"), ms("2026-11-20T10:30:15+08:00")));
            assert_eq!(all[1].start, ms("2026-11-05T09:05:00+08:00"));
        }
    }
    // The second byte of 誠 is a backslash in GB18030.
    let (gb, _, _) = encoding_rs::GB18030.encode(dump);
    assert!(gb.windows(2).any(|w| w[0] > 0x80 && w[1] == b'\\'));
    for bytes in [dump.as_bytes(), &gb] {
        let all: Vec<Past> = read(bytes).into_iter().map(Result::unwrap).collect();
        assert_eq!(all.iter().map(|p| p.account.as_deref().unwrap()).collect::<Vec<_>>(), ["张三", "誠'李"]);
    }
    let broken = [head.as_bytes(), b"a1,x\xff\xff,2026-11-20 10:00:00,,100.64.0.1\n"].concat();
    assert!(read(&broken)[0].as_ref().unwrap_err().what.contains("neither UTF-8 nor GB18030"));
}

proptest! {
    #[test]
    fn any_table_ends(data in proptest::collection::vec(any::<u8>(), 0..500)) {
        if let Ok(mut table) = Table::open(&data[..], "radacct") {
            while let Ok(Some(Record { values, .. })) = table.record() {
                prop_assert!(!values.is_empty());
            }
        }
    }

    #[test]
    fn any_value_is_a_session_or_a_reason(values in proptest::collection::vec(proptest::option::of("[0-9:. T+\\-a-f/]{0,24}"), 18)) {
        let columns: Vec<String> = (0..18).map(|i| format!("c{i}")).collect();
        let words = ["start", "stop", "update", "duration", "session", "unique", "account", "caller", "called", "nas", "nas-port", "address", "address6", "prefix", "delegated", "input", "output", "cause"];
        let pairs: Vec<String> = words.iter().zip(&columns).map(|(w, c)| format!("{w}={c}")).collect();
        let mapping = Mapping::named(&columns, &pairs).unwrap();
        if let Ok(p) = past(&Record { line: 1, values, readable: true }, 18, &mapping, &times()) {
            prop_assert!(p.stop.is_none_or(|t| Some(t) >= p.start) && p.start.is_some_and(|t| t <= now().0));
        }
    }
}
