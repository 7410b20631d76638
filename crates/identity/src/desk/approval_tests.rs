//! The state machine, by cases and over random sequences of steps by random persons.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Millis = Millis(1_800_000_000_000);

fn who(account: u8, person: u8) -> Who {
    Who { account: Id([account; 16]), person: Id([person; 16]) }
}

fn asked(kind: Kind, needed: u32, concerns: Option<Id>) -> Approval {
    let ask = Ask { kind, content: json!({"a": 1}), reason: "because".into(), concerns, needed, wait_ms: 1_000 };
    Approval::ask(ask, who(1, 1), NOW).unwrap()
}

fn all(_: Id) -> bool {
    true
}

#[test]
fn an_approval_goes_its_way() {
    let mut a = asked(Kind::SettingChange, 1, None);
    let digest = a.digest;
    assert_eq!(a.take(who(1, 1), Kind::SettingChange, &digest, NOW), Err(Refused::NotConfirmed { left: 1 }));
    assert_eq!(a.confirm(who(1, 1), &digest, all, NOW), Err(Refused::SamePerson));
    assert_eq!(a.confirm(who(9, 1), &digest, all, NOW), Err(Refused::SamePerson), "the asker's other account");
    assert!(matches!(a.confirm(who(2, 2), &[0; 32], all, NOW), Err(Refused::Conflict(_))));
    assert_eq!(a.confirm(who(2, 2), &digest, all, NOW), Ok(true));
    assert!(matches!(a.confirm(who(3, 3), &digest, all, NOW), Err(Refused::Conflict(_))));
    assert_eq!(a.take(who(2, 2), Kind::SettingChange, &digest, NOW), Err(Refused::NotFound("approval of this account")));
    assert!(a.take(who(1, 1), Kind::BreakGlass, &digest, NOW).is_err());
    assert_eq!(a.take(who(1, 1), Kind::SettingChange, &digest, NOW), Ok(()));
    assert_eq!(a.take(who(1, 1), Kind::SettingChange, &digest, NOW), Err(Refused::Expired("approval")), "never twice");
    let what: Vec<What> = a.steps.iter().map(|s| s.what).collect();
    assert_eq!(what, [What::Asked, What::Confirmed, What::Used]);
}

#[test]
fn another_content_makes_it_void() {
    let mut a = asked(Kind::SettingChange, 1, None);
    a.confirm(who(2, 2), &a.digest.clone(), all, NOW).unwrap();
    let other = content::digest(&json!({"a": 2})).unwrap();
    assert_eq!(a.take(who(1, 1), Kind::SettingChange, &other, NOW), Err(Refused::Void));
    assert_eq!(
        a.take(who(1, 1), Kind::SettingChange, &a.digest.clone(), NOW),
        Err(Refused::Over { how: Over::OtherContent, at: NOW }),
        "and stays void"
    );
}

#[test]
fn nothing_happens_after_its_time() {
    let late = NOW.plus(1_000);
    let mut a = asked(Kind::SettingChange, 1, None);
    assert_eq!(a.confirm(who(2, 2), &a.digest.clone(), all, late), Err(Refused::Expired("approval")));
    a.confirm(who(2, 2), &a.digest.clone(), all, late.plus(-1)).unwrap();
    assert_eq!(a.take(who(1, 1), Kind::SettingChange, &a.digest.clone(), late), Err(Refused::Expired("approval")));
    assert_eq!((a.state_at(late), a.state), (State::Expired, State::Confirmed));
    assert!(a.expire(late) && !a.expire(late));
    assert!(a.refuse(who(2, 2), "no", NOW).is_err() && a.withdraw(who(1, 1), NOW).is_err());
}

#[test]
fn two_persons_are_two_persons_and_not_the_one_it_concerns() {
    let mut a = asked(Kind::AccountRecover, 2, Some(Id([7; 16])));
    let digest = a.digest;
    assert_eq!(a.confirm(who(7, 7), &digest, all, NOW), Err(Refused::SamePerson));
    assert_eq!(a.confirm(who(2, 2), &digest, all, NOW), Ok(false));
    assert!(matches!(a.confirm(who(4, 2), &digest, all, NOW), Err(Refused::Conflict(_))), "the same person's other account");
    let mut gone = a.clone();
    assert_eq!(gone.confirm(who(3, 3), &digest, |_| false, NOW), Ok(false), "the first one may no longer confirm");
    assert_eq!(gone.confirm(who(5, 5), &digest, |id| id != Id([2; 16]), NOW), Ok(true));
    assert_eq!(a.confirm(who(3, 3), &digest, all, NOW), Ok(true));
    a.done(NOW);
    assert_eq!(a.state, State::Used);
}

#[test]
fn waits_are_bounded_and_somebody_else_is_always_needed() {
    let ask = |wait_ms| Ask { kind: Kind::SettingChange, content: json!(1), reason: String::new(), concerns: None, needed: 0, wait_ms };
    let a = Approval::ask(ask(i64::MAX), who(1, 1), NOW).unwrap();
    assert_eq!((a.expires, a.needed), (NOW.plus(APPROVAL_MS_MAX), 1));
    assert!(Approval::ask(ask(i64::MIN), who(1, 1), NOW).unwrap().expires > NOW);
}

/// A step that somebody tries.
#[derive(Clone, Debug)]
enum Try {
    Confirm { who: (u8, u8), right: bool, gone: u8 },
    Refuse { who: (u8, u8) },
    Withdraw { who: (u8, u8) },
    Take { who: (u8, u8), right: bool },
    Done,
    Void,
    Expire,
    Later(i64),
}

/// Eight accounts of five persons: accounts 1 and 6 are person 1, the asker's; 2 and 7 are person 2.
fn somebody() -> impl Strategy<Value = (u8, u8)> {
    (1u8..=8).prop_map(|account| (account, if account > 5 { account - 5 } else { account }))
}

fn tries() -> impl Strategy<Value = Try> {
    prop_oneof![
        6 => (somebody(), prop::bool::weighted(0.8), 0u8..16).prop_map(|(who, right, gone)| Try::Confirm { who, right, gone }),
        1 => somebody().prop_map(|who| Try::Refuse { who }),
        1 => somebody().prop_map(|who| Try::Withdraw { who }),
        4 => (somebody(), prop::bool::weighted(0.8)).prop_map(|(who, right)| Try::Take { who, right }),
        1 => Just(Try::Done),
        1 => Just(Try::Void),
        1 => Just(Try::Expire),
        3 => (0i64..600).prop_map(Try::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_anybody_tries_two_persons_are_two_persons(needed in 1u32..=3, concerned in any::<bool>(), list in prop::collection::vec(tries(), 0..24)) {
        let concerns = concerned.then_some(Id([3; 16]));
        let mut a = asked(Kind::SettingChange, needed, concerns);
        let (digest, other, mut now, mut used) = (a.digest, [9u8; 32], NOW, 0);
        for one in list {
            let before = a.clone();
            let out = match one {
                Try::Confirm { who: (x, p), right, gone } => {
                    let out = a.confirm(who(x, p), if right { &digest } else { &other }, |id| gone & 1 << (id.0[0] & 3) == 0, now);
                    if out.is_ok() {
                        prop_assert!(right && p != 1 && !(concerned && p == 3) && now < before.expires && before.state == State::Waiting);
                    }
                    out.map(drop)
                }
                Try::Refuse { who: (x, p) } => a.refuse(who(x, p), "no", now),
                Try::Withdraw { who: (x, p) } => a.withdraw(who(x, p), now),
                Try::Take { who: (x, p), right } => {
                    let out = a.take(who(x, p), Kind::SettingChange, if right { &digest } else { &other }, now);
                    if out.is_ok() {
                        used += 1;
                        prop_assert!(right && x == 1 && now < before.expires && before.state == State::Confirmed);
                    }
                    if out == Err(Refused::Void) && before.state.is_open() {
                        prop_assert!(a.state == State::Void);
                        continue;
                    }
                    out
                }
                Try::Done => { used += u32::from(a.state == State::Confirmed); a.done(now); continue }
                Try::Void => { a.void(None, None, now); continue }
                Try::Expire => { a.expire(now); continue }
                Try::Later(ms) => { now = now.plus(ms); continue }
            };
            if out.is_err() {
                prop_assert_eq!(&a, &before, "a refused step changes nothing");
            }
            if !before.state.is_open() {
                prop_assert_eq!(&a, &before, "what is over stays over");
            }
        }
        prop_assert!(used <= 1);
        prop_assert_eq!(a.digest, digest);
        let confirmed: Vec<&Step> = a.steps.iter().filter(|s| s.what == What::Confirmed).collect();
        let mut persons: Vec<Id> = confirmed.iter().filter_map(|s| s.person).collect();
        persons.sort_unstable();
        persons.dedup();
        prop_assert_eq!(persons.len(), confirmed.len(), "no person twice");
        prop_assert!(!persons.contains(&Id([1; 16])));
        prop_assert!(!concerned || !persons.contains(&Id([3; 16])));
        if matches!(a.state, State::Confirmed | State::Used) || used == 1 {
            prop_assert!(persons.len() >= needed as usize);
        }
    }
}
