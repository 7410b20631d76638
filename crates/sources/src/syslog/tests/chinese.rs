//! Values between Chinese characters, full-width signs and ASCII: none is left, whatever stands on either side of it.

use proptest::prelude::*;

use super::super::act::redact;
use super::super::dialect::{Dialect, Table};
use super::super::{line, text};
use super::*;

fn redacted(text: &str, accounts: &[&str]) -> String {
    let (mut redactor, mut out) = (Redactor::default(), String::new());
    accounts.iter().for_each(|a| redactor.account(a));
    redactor.text(text, &mut out);
    out
}

/// The redacted form of a line as a dialect's rules leave it, and how many entries they found.
fn understood(rules: &str, message: &str) -> (String, usize) {
    let dialect = Dialect::parse(&format!("name = \"own\"\ntitle = \"own\"\n{rules}")).unwrap();
    let table = Table::new(vec![dialect]);
    let bytes = format!("<13>Nov 22 10:00:00 h own: {message}");
    let (decoded, _) = text::decode(bytes.as_bytes());
    let line = line::parse(&decoded);
    let found = table.understand(&line, &["own".to_owned()]);
    let entries = found.as_ref().map_or(&[][..], |u| u.entries.as_slice());
    let (mut message, mut data) = (String::new(), String::new());
    redact(&line, entries, &mut message, &mut data);
    (message, entries.len())
}

const SIGN_IN: &str = "[[rule]]\nevent = \"sign-in\"\nmatch = \"{*}用户{account}从{address}登录{*}\"\n";

#[test]
fn values_beside_chinese_are_replaced() {
    for (text, accounts, want) in [
        ("用户张三从192.0.2.1登录成功", &["张三"][..], "用户<USER1>从<ADDR1>登录成功"),
        ("用户张三从192.0.2.1登录成功", &[], "用户张三从<ADDR1>登录成功"),
        ("学号20210001登录成功", &[], "学号<USER1>登录成功"),
        ("李四登录失败，李四x", &["李四"], "<USER1>登录失败，<USER1>x"),
        ("手机13800138000，身份证11010519491231002X", &[], "手机<PHONE1>，身份证<CERT1>"),
        ("电话+8613800138000号，证件110105194912310021。", &[], "电话<PHONE1>号，证件<CERT1>。"),
        ("终端00:11:22:33:44:55上线，2001:db8::1在线", &[], "终端<MAC1>上线，<ADDR1>在线"),
        ("ｉｐ192.0.2.1ｘ", &[], "ｉｐ<ADDR1>ｘ"),
        ("ログイン192.0.2.1から 로그인192.0.2.2에서", &[], "ログイン<ADDR1>から 로그인<ADDR2>에서"),
        ("用户zhangsan登录", &[], "用户<USER1>登录"),
        ("SSH用户zhang.san01下线", &[], "SSH用户<USER1>下线"),
        ("姓名：张三，学号：20210001。", &[], "姓名：<USER1>，学号：<USER2>。"),
        ("（用户名＝omuser，IP地址＝192.0.2.5）", &[], "（用户名＝<USER1>，IP地址＝<ADDR1>）"),
        ("用户「张三」登录 用户（李四）退出", &[], "用户「<USER1>」登录 用户（<USER2>）退出"),
        ("工号=0042;帐号 li.si 登录", &[], "工号=<USER1>;帐号 <USER2> 登录"),
        ("用户ID：a01 用户名为bob，账号是", &[], "用户ID：<USER1> 用户名为<USER2>，账号是"),
        ("SSH用户成功地登录。用户数：5，用户 登录成功", &[], "SSH用户成功地登录。用户数：5，用户 登录成功"),
        ("bobby登录，bob登录，a1退出", &["bob", "a1"], "bobby登录，<USER1>登录，<USER2>退出"),
        ("用户bob@isp从192.0.2.1登录", &[], "用户<MAIL1>从<ADDR1>登录"),
        ("邮件发给bob@example.org失败；张三01@isp上线", &[], "邮件发给<MAIL1>失败；<MAIL2>上线"),
        ("张三@system at 192.0.2.8", &[], "<MAIL1> at <ADDR1>"),
        ("用户张三下线", &["户张"], "用<USER1>三下线"),
        ("姓名张三", &[], "姓名张三"),
    ] {
        assert_eq!(redacted(text, accounts), want, "{text}");
    }
}

#[test]
fn every_chinese_label_leads_to_an_account() {
    for label in labels::WIDE_LABELS {
        assert_eq!(labels::wide(label), Some(label.len()), "{label}");
        assert_eq!(
            redacted(&format!("新{label}a01登录，{label}：张三，{label}"), &[]),
            format!("新{label}<USER1>登录，{label}：<USER2>，{label}")
        );
    }
}

#[test]
fn what_a_dialect_found_is_replaced_amid_letters_too() {
    let glued = "[[rule]]\nevent = \"sign-in\"\nmatch = \"login{account} ip{address}port {*}\"\n";
    assert_eq!(
        understood(glued, "loginx ip192.0.2.1port 9 and 192.0.2.17, ip192.0.2.12z"),
        ("loginx ip<ADDR1>port 9 and <ADDR2>, ip192.0.2.12z".to_owned(), 1)
    );
    let lease = "[[rule]]\nevent = \"lease\"\nfrom = \"text\"\npairs = { inside = \"ip\", mac = \"hw\", client = \"name\" }\n";
    let (shown, entries) = understood(lease, "ip=192.0.2.1 hw=001122334455 name=phone");
    assert_eq!((shown.as_str(), entries), ("ip=<ADDR1> hw=<MAC1> name=<USER1>", 1));
    assert_eq!(understood(SIGN_IN, "用户张三从192.0.2.1登录成功"), ("用户<USER1>从<ADDR1>登录成功".to_owned(), 1));
}

/// What may stand beside a value: no piece has a letter or digit of ASCII at an end.
fn beside() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\u{4e00}-\u{9fa5}]{1,6}",
        "(用户|学号|姓名|手机|身份证|来自|登录成功|管理员|账号为)",
        "[，。：；！？（）【】“”「」、＝]{1,2}",
        "[ぁ-ん]{1,3}",
        "[ァ-ヶ]{1,3}",
        "[가-힣]{1,3}",
        "[Ａ-Ｚａ-ｚ０-９]{1,3}",
        "( src=| from |, |\\(| - )",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn hardware() -> impl Strategy<Value = String> {
    (any::<[u8; 6]>(), 0..4usize).prop_map(|(mac, form)| {
        let hex: Vec<String> = mac.iter().map(|b| format!("{b:02x}")).collect();
        let fours: Vec<String> = hex.chunks(2).map(<[String]>::concat).collect();
        match form {
            0 => hex.join(":"),
            1 => hex.join("-"),
            2 => fours.join("-"),
            _ => fours.join("."),
        }
    })
}

proptest! {
    #[test]
    fn no_value_is_left_between_chinese(
        before in beside(),
        after in beside(),
        four in any::<[u8; 4]>(),
        six in any::<[u16; 8]>(),
        hidden in 0..7usize,
        mac in hardware(),
        phone in "(\\+?86)?1[3-9][0-9]{9}",
        certificate in "[1-9][0-9]{5}(19|20)[0-9]{9}[0-9X]",
    ) {
        let mut short = six;
        short.iter_mut().skip(hidden).for_each(|group| *group = 0);
        short[7] = six[7];
        let values = [
            std::net::Ipv4Addr::from(four).to_string(),
            std::net::Ipv6Addr::from(six).to_string(),
            std::net::Ipv6Addr::from(short).to_string(),
            mac,
            phone,
            certificate,
        ];
        for value in values.iter().filter(|v| v.len() > 2) {
            let text = format!("{before}{value}{after}");
            let out = redacted(&text, &[]);
            prop_assert!(!out.contains(value.as_str()), "{} became {}", text, out);
        }
    }

    /// Whatever a label and an account are, an account that is known is nowhere in the line.
    #[test]
    fn no_known_account_is_left(
        before in beside(),
        between in beside(),
        after in beside(),
        account in prop_oneof!["[\u{5f00}-\u{62ff}]{1,4}", "[a-z]{2}[0-9]{2}[a-z0-9_.-]{0,5}[a-z0-9]", "[\u{5f00}-\u{62ff}]{2}[0-9]{2}"],
    ) {
        // Side by side two of ASCII are one word.
        prop_assume!(!between.is_empty() || !account.is_ascii());
        let text = format!("{before}{account}{between}{account}{after}");
        let out = redacted(&text, &[&account]);
        prop_assert!(!out.contains(&account), "{} became {}", text, out);
    }

    #[test]
    fn no_account_or_address_that_a_dialect_found_is_left(
        before in beside(),
        after in beside(),
        account in prop_oneof!["[\u{5f00}-\u{62ff}]{1,4}", "[a-z]{2}[0-9]{2}[a-z0-9]{0,5}"],
        four in any::<[u8; 4]>(),
    ) {
        // The rule takes the first place that fits; the text before must have none.
        prop_assume!(!before.contains("用户"));
        let address = std::net::Ipv4Addr::from(four).to_string();
        let (out, entries) = understood(SIGN_IN, &format!("{before}用户{account}从{address}登录{after}，{account}"));
        prop_assert_eq!(entries, 1);
        prop_assert!(!out.contains(&account) && !out.contains(&address), "{}", out);
    }
}
