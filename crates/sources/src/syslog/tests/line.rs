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
    // elastic/integrations, packages/cisco_ios and cisco_asa: test-syslog-header.log, test-syslog.log, test-additional-messages.log.
    (
        "<190>3132811: sw01: 3132807: Jul 14 2023 08:23:43.398 UTC: %FOO-6-BAR: Test",
        Want(23, 6, true, "sw01", "-", "-", "FOO-6-BAR", "Test"),
    ),
    (
        "<190>3132517: 192.0.2.2 3132513: Jul 14 2023 08:23:43.398 UTC: %FOO-6-BAR: Test",
        Want(23, 6, true, "192.0.2.2", "-", "-", "FOO-6-BAR", "Test"),
    ),
    ("<190>: sw01: Jul 14 2023 08:23:43.398 UTC: %FOO-6-BAR: Test", Want(23, 6, true, "sw01", "-", "-", "FOO-6-BAR", "Test")),
    (
        "<190>3132783: 2001:db8::: 3132779: Jul 14 2023 08:23:43.398 UTC: %FOO-6-BAR: Test",
        Want(23, 6, true, "2001:db8::", "-", "-", "FOO-6-BAR", "Test"),
    ),
    ("<190>3132517: sw01: 3132513: 2y10w: %FOO-6-BAR: Test", Want(23, 6, false, "sw01", "-", "-", "FOO-6-BAR", "Test")),
    ("<190>29: 00:00:46: %FOO-6-BAR: Test", Want(23, 6, false, "-", "-", "-", "FOO-6-BAR", "Test")),
    (
        "<190>Jul 13 08:23:43 192.0.2.2 585917: Jul 14 2023 08:23:43 UTC: %FOO-6-BAR: Test",
        Want(23, 6, true, "192.0.2.2", "-", "-", "FOO-6-BAR", "Test"),
    ),
    // Neither a number nor a colon before the name: it may be a program's tag as well.
    (
        "<189>R1: Nov 22 10:00:00 CST: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success",
        Want(23, 5, true, "R1", "R1", "-", "SEC_LOGIN-5-LOGIN_SUCCESS", "Login Success"),
    ),
    (
        "<30>web-1: Nov 22 10:00:00 dnsmasq-dhcp[3]: DHCPACK(eth0) x",
        Want(3, 6, false, "-", "web-1", "-", "-", "Nov 22 10:00:00 dnsmasq-dhcp[3]: DHCPACK(eth0) x"),
    ),
    // `sw01` may be a name as well as a program: what stands behind it is not believed of NAT.
    (
        "<190>Jul 13 08:23:43 192.0.2.2 sw01: 3132779: Jul 14 2023 08:23:43.398 UTC: %FOO-6-BAR: Test",
        Want(23, 6, true, "192.0.2.2", "sw01", "-", "FOO-6-BAR", "Test"),
    ),
    ("<190>3352436: 3352457: Aug 12 2023 12:14:24.412 mdt: %FOO-6-BAR: Test", Want(23, 6, true, "-", "-", "-", "FOO-6-BAR", "Test")),
    ("<166>:%ASA-session-6-106100: access-list", Want(20, 6, false, "-", "-", "-", "ASA-session-6-106100", "access-list")),
    ("<166>:Nov 22 01:55:38 EDT: %ASA-session-6-302016: Teardown", Want(20, 6, true, "-", "-", "-", "ASA-session-6-302016", "Teardown")),
    (
        "<190>Oct 7 08:16:04 sw-mgmt LC/0/0/CPU0:Oct 7 08:16:04.041 UTC: nfsvr[244]: %MGBL-NETFLOW-6-INFO : Cache",
        Want(23, 6, true, "LC/0/0/CPU0", "nfsvr", "244", "MGBL-NETFLOW-6-INFO", "Cache"),
    ),
    (
        "<189>May 22 21:00:31 192.0.2.11 52536: RP/0/RP0/CPU0:May 22 21:00:56.247 +06: SSHD_[68879]: %SECURITY-SSHD-6-INFO_SUCCESS : Success",
        Want(23, 5, true, "RP/0/RP0/CPU0", "SSHD_", "68879", "SECURITY-SSHD-6-INFO_SUCCESS", "Success"),
    ),
    // Juniper, "Log Generation" (Junos 13.1) and "Interpreting Messages Generated in Standard Format by Services on a PIC".
    (
        "<142>Jun 28 15:29:20 cypher (FPC Slot 5, PIC Slot 0) {sset2}[FWNAT]: ASP_SFW_DELETE_FLOW: proto 6",
        Want(17, 6, true, "cypher", "FWNAT", "-", "ASP_SFW_DELETE_FLOW", "proto 6"),
    ),
    (
        "<142>Nov 10 01:07:27 mx (FPC Slot 8, PIC Slot 2) 2012-11-10 01:07:27 NAT444{nat444}[FWNAT]:ASP_SFW_DELETE_FLOW: proto 17",
        Want(17, 6, true, "mx", "FWNAT", "-", "ASP_SFW_DELETE_FLOW", "proto 17"),
    ),
    (
        "<158>2026-07-19 16:13:02: CGN-1{CGN_LOG}[jservices-nat]: JSERVICES_NAT_RULE_MATCH: proto 17 (UDP)",
        Want(19, 6, true, "CGN-1", "jservices-nat", "-", "JSERVICES_NAT_RULE_MATCH", "proto 17 (UDP)"),
    ),
    // Huawei in summer time, and behind a relay: lines of devices in public collectors.
    (
        "<188>Mar 26 2022 17:06:48+03:00 DST IGW-Test %%01SSH/4/SSHS_IP_BLOCK_CLIENT(s):CID=0x8093043a;SSH client",
        Want(23, 4, true, "IGW-Test", "-", "-", "SSH/4/SSHS_IP_BLOCK_CLIENT", "CID=0x8093043a;SSH client"),
    ),
    (
        "<188>Sep 16 21:44:24 192.0.2.1 2020-09-16 22:00:49 USG2110 %%01SYSTATE/6/HEALTH(l): CPU Usage=2%",
        Want(23, 4, true, "USG2110", "-", "-", "SYSTATE/6/HEALTH", "CPU Usage=2%"),
    ),
    // H3C, a stack: splunk/splunk-connect-for-syslog, tests.
    (
        "<189>Jan 27 14:13:39 2022 host (Stack) %%10WEB/5/LOGIN: a logged in",
        Want(23, 5, true, "host", "-", "-", "WEB/5/LOGIN", "a logged in"),
    ),
    // Huawei NE, "Example for Configuring Syslog Source Tracing for NAT Flexible Flows".
    (
        "<134> 1 2019 January 18 14:09:22 192.0.2.9 cnelog - NAT444:SessionbasedA [17 10.0.0.1 - 203.0.113.1 1052 2000 -]",
        Want(16, 6, true, "192.0.2.9", "cnelog", "-", "NAT444:SessionbasedA", "[17 10.0.0.1 - 203.0.113.1 1052 2000 -]"),
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
