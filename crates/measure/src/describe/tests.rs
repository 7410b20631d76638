use super::*;

fn udp(at: &str) -> Resource {
    Resource::Udp(at.parse().unwrap())
}

fn tcp(at: &str) -> Resource {
    Resource::Tcp(at.parse().unwrap())
}

fn file(path: &str) -> Resource {
    Resource::File(path.into())
}

fn measure(name: &'static str, holds: &[Resource]) -> Description {
    let title = Title { en: "A measure", zh: "措施" };
    Description { name, title, obligations: &["7.3", "8.2"], kinds: &[Kind::RadiusSession], holds: holds.to_vec() }
}

#[test]
fn what_cannot_be_held_twice() {
    for (a, b, want) in [
        (udp("127.0.0.1:1813"), udp("127.0.0.1:1813"), true),
        (udp("127.0.0.1:1813"), tcp("127.0.0.1:1813"), false),
        (udp("127.0.0.1:1813"), udp("127.0.0.1:1812"), false),
        (udp("127.0.0.1:1813"), udp("127.0.0.2:1813"), false),
        (udp("0.0.0.0:1813"), udp("127.0.0.2:1813"), true),
        (udp("[::]:1813"), udp("127.0.0.2:1813"), true),
        (udp("0.0.0.0:1813"), udp("[::1]:1813"), false),
        (udp("[::]:1813"), udp("[::1]:1813"), true),
        (udp("[::ffff:127.0.0.1]:1813"), udp("127.0.0.1:1813"), true),
        (udp("127.0.0.1:0"), udp("127.0.0.1:0"), false),
        (tcp("0.0.0.0:4739"), tcp("0.0.0.0:4739"), true),
        (file("a/b"), file("a/b"), true),
        (file("a/./b/"), file("a/c/../b"), true),
        (file("../a"), file("../../a"), false),
        (file("a/b"), file("a/c"), false),
        (file("a"), udp("127.0.0.1:1"), false),
    ] {
        assert_eq!(a.conflicts(&b), want, "{a} and {b}");
        assert_eq!(b.conflicts(&a), want, "{b} and {a}");
    }
}

#[test]
fn a_good_list_has_no_problems() {
    let list = [measure("radius", &[udp("0.0.0.0:1813")]), measure("ipfix", &[udp("0.0.0.0:4739"), tcp("0.0.0.0:4739")])];
    assert_eq!(check(&list), []);
    assert_eq!(check(&[]), []);
}

#[test]
fn each_problem_is_named() {
    let radius = || measure("radius", &[udp("0.0.0.0:1813")]);
    let problem = check(&[radius(), measure("relay", &[udp("127.0.0.1:1813")])]).remove(0).to_string();
    for part in ["radius", "relay", "udp 127.0.0.1:1813", "configuration"] {
        assert!(problem.contains(part), "{problem}");
    }
    let own = measure("ipfix", &[udp("0.0.0.0:4739"), udp("127.0.0.1:4739")]);
    assert!(matches!(check(&[own])[..], [Problem::Conflict { first: "ipfix", second: "ipfix", .. }]));
    assert_eq!(check(&[measure("radius", &[]), measure("radius", &[])]), [Problem::Twice("radius")]);
    for name in ["", "Radius", "a b", "a-name-that-is-longer-than-it-may-be"] {
        assert_eq!(check(&[measure(name, &[])]), [Problem::Name(name)]);
    }
    let odd = Description { obligations: &["8.2", "8.9"], ..measure("odd", &[]) };
    assert_eq!(check(&[odd]), [Problem::Clause { measure: "odd", id: "8.9" }]);
    let idle = Description { obligations: &[], ..measure("idle", &[]) };
    assert_eq!(check(&[idle]), [Problem::Purpose("idle")]);
}
