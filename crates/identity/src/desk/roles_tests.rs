//! The table, held to its rules.

use super::*;

/// Role × capability, as people read it. To change it is a decision of its own: the new table is printed by the failing test.
const GOLDEN: &str = include_str!("testdata/roles.txt");

fn table() -> String {
    let mut out =
        String::from("# Role, its titles, what it may do, roles the same person may not hold. `self` comes with every account.\n");
    for line in TABLE {
        out += &format!("\n{} {} {}\n", line.name, line.zh, line.en);
        for c in Capability::ALL {
            let mark = if capabilities(&[line.role]).has(*c) { "x" } else { "-" };
            out += &format!("  {mark} {}\n", c.name());
        }
        let never: Vec<&str> = line.role.never_with().into_iter().map(Role::name).collect();
        out += &format!("  never with: {}\n", never.join(", "));
    }
    out
}

#[test]
fn the_table_is_the_golden_one() {
    assert!(table() == GOLDEN, "the table is another one now:\n{}", table());
}

#[test]
fn lines_stand_in_the_order_of_the_roles() {
    for (i, line) in TABLE.iter().enumerate() {
        assert_eq!(line.role as usize, i);
        assert_eq!(line.role.line().name, line.name);
        assert_eq!(line.name.parse(), Ok(line.role));
        let mut once = line.may.to_vec();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), line.may.len(), "{}: each capability once", line.name);
    }
    assert!("root".parse::<Role>().is_err() && "root".parse::<Capability>().is_err());
    for c in Capability::ALL {
        assert_eq!(c.name().parse(), Ok(*c));
    }
}

/// Every set of roles one person may hold.
fn allowed_sets() -> Vec<Vec<Role>> {
    let all: Vec<Role> = TABLE.iter().map(|l| l.role).collect();
    let sets = (0u32..1 << all.len()).map(|bits| all.iter().copied().filter(|r| bits & 1 << *r as u32 != 0).collect::<Vec<_>>());
    sets.filter(|set| clash(set).is_none()).collect()
}

#[test]
fn no_role_and_no_person_reads_and_erases_and_none_browses_by_identity() {
    let sets = allowed_sets();
    assert!(sets.len() > 12, "{}", sets.len());
    for set in sets {
        let classes: Vec<Class> = capabilities(&set).iter().map(Capability::class).collect();
        assert!(!(classes.contains(&Class::Masked) && classes.contains(&Class::Erase)), "{set:?}");
        assert!(!classes.contains(&Class::ByIdentity), "{set:?}");
    }
    assert!(Capability::ALL.iter().all(|c| !matches!(c.class(), Class::ByIdentity | Class::Erase)));
}

#[test]
fn the_three_administrators_exclude_one_another_and_an_inspector_everybody() {
    for a in Role::ADMINS {
        for b in Role::ADMINS {
            assert_eq!(a.goes_with(b), a == b, "{a} {b}");
        }
    }
    for line in TABLE {
        assert_eq!(line.role.goes_with(Role::Inspector), line.role == Role::Inspector);
        for other in TABLE {
            assert_eq!(line.role.goes_with(other.role), other.role.goes_with(line.role), "in both directions");
        }
    }
    assert!(!Role::Approver.goes_with(Role::Operator) && Role::Reviewer.goes_with(Role::Operator));
}

#[test]
fn who_asks_for_what_others_confirm_cannot_do_without_another_person() {
    // The system administrator never confirms; whoever asks questions never confirms.
    for set in allowed_sets() {
        let may = capabilities(&set);
        if set.contains(&Role::SystemAdmin) && may.has(Capability::ApprovalsConfirm) {
            assert!(set.contains(&Role::Approver), "{set:?}: only beside the approver's role, and then for others alone");
        }
        assert!(!(may.has(Capability::LookupAsk) && set.contains(&Role::Approver)));
    }
}

#[test]
fn an_inspector_sees_states_and_never_people() {
    assert!(capabilities(&[Role::Inspector]).iter().all(|c| matches!(c.class(), Class::State | Class::Own)));
}

#[test]
fn a_socket_a_token_and_an_emergency_never_stand_as_the_second_person() {
    for line in TABLE {
        assert!(socket_capabilities(&[line.role]).iter().all(|c| c.class() != Class::Confirm && c != Capability::Own));
        assert!(emergency_capabilities(line.role).iter().all(|c| c.class() != Class::Confirm));
    }
    for c in [Capability::AccountsChange, Capability::RolesChange, Capability::ApprovalsConfirm, Capability::SettingsChange] {
        assert!(NEVER_A_TOKEN.contains(&c));
    }
}

#[test]
fn sets_of_capabilities_behave_as_sets() {
    let set = Capabilities::of(&[Capability::OverviewRead, Capability::MetricsRead]);
    assert_eq!(set.names(), ["overview.read", "metrics.read"]);
    assert_eq!(set.and(Capabilities::of(&[Capability::MetricsRead])).names(), ["metrics.read"]);
    assert_eq!(set.or(Capabilities::of(Capability::ALL)), Capabilities::of(Capability::ALL));
    assert_eq!(format!("{set:?}"), r#"{"overview.read", "metrics.read"}"#);
    assert_eq!(capabilities(&[]).names(), ["self"]);
}
