//! Headers: each form with the public document it comes from.

use proptest::prelude::*;

use super::*;

struct Want(u8, u8, bool, &'static str, &'static str, &'static str, &'static str, &'static str);

fn shown(l: &Line<'_>) -> (u8, u8, bool, String, String, String, String, String) {
    let text = |t: Option<&str>| t.unwrap_or("-").to_owned();
    (l.facility, l.severity, l.stamp.is_some(), text(l.host), text(l.app), text(l.procid), text(l.msgid), l.message.to_owned())
}

const HEADERS: &[(&str, Want)] = &[
    // RFC 5424 section 6.5, examples 1 to 4.
    (
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8",
        Want(4, 2, true, "mymachine.example.com", "su", "-", "ID47", "'su root' failed for lonvick on /dev/pts/8"),
    ),
    (
        "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
        Want(20, 5, true, "192.0.2.1", "myproc", "8710", "-", "%% It's time to make the do-nuts."),
    ),
    // The template RSYSLOG_SyslogProtocol23Format of rsyslog 8.2302.
    (
        "<38>1 2026-11-22T10:00:00.123456+08:00 h sshd 7 - -  Accepted password",
        Want(4, 6, true, "h", "sshd", "7", "-", "Accepted password"),
    ),
    (
        "<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"App]\" x=\"a\\]b\\\"\"] An event",
        Want(20, 5, true, "h", "evntslog", "-", "ID47", "An event"),
    ),
    ("<165>1 - - - - - [a@1 b=\"c\"][d@2]", Want(20, 5, false, "-", "-", "-", "-", "")),
    ("<13>1 2026-11-22T10:00:00Z h a - - [not data at all", Want(1, 5, true, "h", "a", "-", "-", "[not data at all")),
    // RFC 3164 section 5.4, examples 1 and 2.
    (
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        Want(4, 2, true, "mymachine", "su", "-", "-", "'su root' failed for lonvick on /dev/pts/8"),
    ),
    ("Use the BFG!", Want(NONE, NONE, false, "-", "-", "-", "-", "Use the BFG!")),
    ("<13>Nov 22 10:00:00 h sshd[77]: Accepted x", Want(1, 5, true, "h", "sshd", "77", "-", "Accepted x")),
    ("<13>sshd[77]: Accepted x", Want(1, 5, false, "-", "sshd", "77", "-", "Accepted x")),
    ("<13>Nov 22 10:00:00 sshd[77]: no host", Want(1, 5, true, "-", "sshd", "77", "-", "no host")),
    ("<999>x", Want(NONE, NONE, false, "-", "-", "-", "-", "<999>x")),
    ("<>x", Want(NONE, NONE, false, "-", "-", "-", "-", "<>x")),
    // Cisco IOS System Message Guide, "How to Read System Messages".
    (
        "<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured from console by vty2 (192.0.2.3)",
        Want(23, 5, true, "-", "-", "-", "SYS-5-CONFIG_I", "Configured from console by vty2 (192.0.2.3)"),
    ),
    (
        "<189>46: R1: 000047: Nov 22 10:00:00 CST: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success",
        Want(23, 5, true, "R1", "-", "-", "SEC_LOGIN-5-LOGIN_SUCCESS", "Login Success"),
    ),
    (
        "<189>46: R1: Nov 22 10:00:00 CST: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success",
        Want(23, 5, true, "R1", "-", "-", "SEC_LOGIN-5-LOGIN_SUCCESS", "Login Success"),
    ),
    (
        "<187>RP/0/RSP0/CPU0:Nov 22 10:00:00.123 : exec[65]: %SECURITY-LOGIN-4-AUTHEN_FAILED : Failed",
        Want(23, 3, true, "RP/0/RSP0/CPU0", "exec", "65", "SECURITY-LOGIN-4-AUTHEN_FAILED", "Failed"),
    ),
    // Huawei, "Information Center: log format".
    (
        "<189>Aug 14 2012 18:15:57 HUAWEI %%01SHELL/5/CMDRECORD(s)[0]:Record command information.",
        Want(23, 5, true, "HUAWEI", "-", "-", "SHELL/5/CMDRECORD", "Record command information."),
    ),
    (
        "<188>2026-11-22 10:00:00 USG6000 %%01SECLOG/6/SESSION_TEARDOWN(l)[12]:IPVer=4",
        Want(23, 4, true, "USG6000", "-", "-", "SECLOG/6/SESSION_TEARDOWN", "IPVer=4"),
    ),
    // H3C Comware V7, "Log formats and field descriptions".
    (
        "<190>Nov 22 10:00:00 2026 H3C %%10NAT/6/NAT_FLOW: Protocol(1001)=UDP;",
        Want(23, 6, true, "H3C", "-", "-", "NAT/6/NAT_FLOW", "Protocol(1001)=UDP;"),
    ),
    // Junos, "System Log Explorer".
    (
        "<30>Nov 22 10:00:00 mx1 mgd[2331]: UI_COMMIT: User 'x' requested 'commit'",
        Want(3, 6, true, "mx1", "mgd", "2331", "UI_COMMIT", "User 'x' requested 'commit'"),
    ),
    // RouterOS, remote logging without BSD format.
    (
        "system,info,account user x logged in from 192.0.2.3 via ssh",
        Want(NONE, NONE, false, "-", "system,info,account", "-", "-", "user x logged in from 192.0.2.3 via ssh"),
    ),
    // NetScaler, "Logs".
    (
        "<134> 11/22/2026:02:00:00 GMT ns 0-PPE-0 : default LSN LSN_SESSION 2581760 0 : SESSION CREATED x",
        Want(16, 6, true, "ns", "LSN", "-", "LSN_SESSION", "SESSION CREATED x"),
    ),
    ("<134> 11/22/2026:02:00:00 GMT ns PPE-0 : UI CMD_EXECUTED 7 : User x", Want(16, 6, true, "ns", "UI", "-", "CMD_EXECUTED", "User x")),
    (
        "<190>Nov 22 10:00:00 web-1 nginx: 192.0.2.3 - - [22/Nov/2026] \"GET /?q=0-PPE-0 : default LSN LSN_SESSION 1 0 : x\"",
        Want(23, 6, true, "web-1", "nginx", "-", "-", "192.0.2.3 - - [22/Nov/2026] \"GET /?q=0-PPE-0 : default LSN LSN_SESSION 1 0 : x\""),
    ),
    (
        "<134>Nov 22 10:00:00 gw kernel: [12.5] weir: IN=eth0 OUT= SRC=192.0.2.1",
        Want(16, 6, true, "gw", "kernel", "-", "-", "[12.5] weir: IN=eth0 OUT= SRC=192.0.2.1"),
    ),
];

#[test]
fn headers() {
    for (line, w) in HEADERS {
        let got = shown(&parse(line));
        let want = (w.0, w.1, w.2, w.3.to_owned(), w.4.to_owned(), w.5.to_owned(), w.6.to_owned(), w.7.to_owned());
        assert_eq!(got, want, "{line}");
    }
}

#[test]
fn rules_are_found_by_name_and_program() {
    let keys = |l: &'static str| parse(l).keys().collect::<Vec<_>>();
    assert_eq!(keys("<189>1: Nov 22 10:00:00: %SEC_LOGIN-5-LOGIN_SUCCESS: x"), ["LOGIN_SUCCESS"]);
    assert_eq!(keys("<190>Nov 22 10:00:00 2026 H3C %%10NAT/6/NAT_FLOW: x"), ["NAT_FLOW"]);
    assert_eq!(keys("<30>Nov 22 10:00:00 mx1 mgd[2331]: UI_COMMIT: x"), ["UI_COMMIT", "mgd"]);
    assert_eq!(keys("<30>Nov 22 10:00:00 h /usr/sbin/cron[1]: x"), ["cron"]);
}

proptest! {
    #[test]
    fn any_text_is_a_line(text in "\\PC{0,200}") {
        let line = parse(&text);
        prop_assert!(text.contains(line.message));
    }

    #[test]
    fn what_rfc_5424_allows_comes_back(
        pri in 0u8..=191, host in "[!-~]{1,60}", app in "[!-~]{1,48}", procid in "[!-~]{1,40}", msgid in "[!-~]{1,32}",
        value in "[ -!#-\\[^-~]{0,20}",
        message in "[ -~]{0,60}",
    ) {
        let text = format!("<{pri}>1 2026-11-22T10:00:00Z {host} {app} {procid} {msgid} [x@1 k=\"{value}\"] {message}");
        let line = parse(&text);
        let none = |t: &'_ str| (t != "-").then(|| t.to_owned());
        prop_assert_eq!((line.facility << 3) | line.severity, pri);
        prop_assert_eq!(line.host.map(str::to_owned), none(&host));
        prop_assert_eq!(line.msgid.map(str::to_owned), none(&msgid));
        let data = format!("[x@1 k=\"{value}\"]");
        // A backslash before the closing quote escapes it: then this is no structured data.
        if !value.ends_with('\\') {
            prop_assert_eq!(line.data, Some(data.as_str()));
            prop_assert_eq!(line.message, message.trim());
        }
    }
}
