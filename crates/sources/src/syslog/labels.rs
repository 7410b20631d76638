//! Words behind which an account stands, and where that account ends: `user=bob`, `用户名：张三`, `学号20210001登录`. Pure.
//!
//! Chinese has no spaces: a Chinese label counts wherever it stands, and without a sign between the two only letters and digits of ASCII behind it
//! are an account: where a Chinese name ends that stands directly behind nobody can tell.

use super::forms::is_word;
use super::limits::QUOTED_BYTES;

/// Words behind which an account stands. `=` or `:` may stand between, and quotes around.
const ACCOUNT_WORDS: &[&str] = &[
    "user",
    "username",
    "user-name",
    "user_name",
    "usr",
    "ruser",
    "account",
    "acct",
    "acc_user",
    "login",
    "logname",
    "loginname",
    "operator",
    "suser",
    "duser",
    "targetusername",
    "subjectusername",
    "name",
    "auid",
];

/// The same in Chinese, wherever they stand, and [`WIDE_MORE`] behind them.
pub const WIDE_LABELS: &[&str] = &[
    "用户",
    "帐号",
    "账号",
    "帐户",
    "账户",
    "学号",
    "工号",
    "卡号",
    "姓名",
    "登录名",
    "操作员",
    "操作人",
    "管理员",
    "联系人",
    "用戶",
    "帳號",
    "帳戶",
    "學號",
    "工號",
    "卡號",
    "登錄名",
];

/// What may stand between such a label and the sign behind it, as in `用户名为` and `用户ID`.
const WIDE_MORE: &[&str] = &["名称", "名稱", "名", "ID", "Id", "id", "为", "為", "是"];

/// Beginnings of what stands behind such a label and is no account, as in `用户 登录成功`.
const WIDE_NOT_ACCOUNTS: &[&str] = &["登录", "登陆", "登出", "登錄", "退出", "注销", "认证", "上线", "下线"];

/// Words behind which an account stands where the line speaks of signing in, as in `session closed for frank by (uid=0)` and `login as bob`.
const PREPOSITIONS: &[&str] = &["for", "by", "as"];

/// Parts of words of a line that speaks of signing in.
const SIGN_IN_WORDS: &[&str] = &["assword", "ession", "uth", "ublickey", "ogin", "ogged", "ogon", "ogout", "ign-in", "ign in", "COMMAND="];

/// Words that may follow one of all those without being an account.
const NOT_ACCOUNTS: &[&str] = &[
    "uid",
    "euid",
    "gid",
    "pid",
    "tty",
    "port",
    "host",
    "illegal",
    "new",
    "next",
    "this",
    "that",
    "all",
    "any",
    "each",
    "remote",
    "local",
    "client",
    "server",
    "service",
    "method",
    "connection",
    "peer",
    "more",
    "seconds",
    "minutes",
    "timeout",
    "system",
    "is",
    "was",
    "has",
    "not",
    "from",
    "for",
    "by",
    "in",
    "out",
    "to",
    "and",
    "or",
    "the",
    "a",
    "an",
    "logged",
    "login",
    "logout",
    "name",
    "id",
    "unknown",
    "failed",
    "failure",
    "success",
    "successful",
    "succeeded",
    "with",
    "on",
    "at",
    "of",
    "session",
    "request",
    "requested",
    "account",
    "authentication",
    "password",
    "user",
    "invalid",
    "root(uid",
    "process",
    "slice",
    "manager",
    "runtime",
    "access",
    "interface",
    "as",
    "soon",
    "well",
    "expected",
];

/// Beginnings of words that make a number before them a measure, as in `for 30 seconds`.
const UNITS: &[&str] =
    &["sec", "min", "hour", "day", "times", "attempts", "bytes", "packets", "ms", "个", "人", "次", "秒", "分钟", "小时", "天", "条"];

/// True for a word behind which an account stands.
pub fn is_label(word: &str) -> bool {
    LABELS.may_hold(word.as_bytes()) && ACCOUNT_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Those of [`ACCOUNT_WORDS`].
static LABELS: Lengths = Lengths::of(&[ACCOUNT_WORDS]);

/// Those of [`NOT_ACCOUNTS`].
static NONE: Lengths = Lengths::of(&[NOT_ACCOUNTS]);

/// Those of all words that [`leads_to`] knows.
pub(super) const LENGTHS: Lengths = Lengths::of(LISTS);
pub(super) const LISTS: &[&[&str]] = &[ACCOUNT_WORDS, PREPOSITIONS];

/// Which lengths the words of some lists have by their first byte, and by their last one, whatever its case: bit `n` for `n` bytes. None is longer
/// than 15.
pub(super) struct Lengths {
    first: [u16; 256],
    last: [u16; 256],
}

impl Lengths {
    pub(super) const fn of(lists: &[&[&str]]) -> Lengths {
        let mut out = Lengths { first: [0; 256], last: [0; 256] };
        let mut list = 0;
        while list < lists.len() {
            let mut at = 0;
            while at < lists[list].len() {
                let word = lists[list][at].as_bytes();
                assert!(word.len() < 16);
                let (first, last, bit) = (word[0], word[word.len() - 1], 1 << word.len());
                out.first[first.to_ascii_lowercase() as usize] |= bit;
                out.first[first.to_ascii_uppercase() as usize] |= bit;
                out.last[last.to_ascii_lowercase() as usize] |= bit;
                out.last[last.to_ascii_uppercase() as usize] |= bit;
                at += 1;
            }
            list += 1;
        }
        out
    }

    /// Those of two.
    pub(super) const fn and(mut self, other: &Lengths) -> Lengths {
        let mut at = 0;
        while at < 256 {
            self.first[at] |= other.first[at];
            self.last[at] |= other.last[at];
            at += 1;
        }
        self
    }

    /// False for a word that is certainly none of them.
    pub(super) fn may_hold(&self, word: &[u8]) -> bool {
        let (Some(first), Some(last)) = (word.first(), word.last()) else { return false };
        word.len() < 16 && (self.first[usize::from(*first)] & self.last[usize::from(*last)]) >> word.len() & 1 == 1
    }
}

/// `30` before ` seconds`: no account.
fn is_measure(word: &str, behind: &str) -> bool {
    let unit = behind.trim_start();
    word.bytes().all(|b| b.is_ascii_digit()) && UNITS.iter().any(|u| unit.starts_with(u))
}

/// Whether what stands behind this word of the text may be an account.
///
/// `speaks`: whether the text speaks of signing in, looked at once for a text and only where it matters.
pub fn leads_to(word: &str, text: &str, speaks: &mut Option<bool>) -> bool {
    is_label(word)
        || matches!(word.as_bytes(), [b'a' | b'b' | b'f' | b'A' | b'B' | b'F', _] | [b'f' | b'F', _, _])
            && PREPOSITIONS.iter().any(|p| p.eq_ignore_ascii_case(word))
            && *speaks.get_or_insert_with(|| SIGN_IN_WORDS.iter().any(|part| text.contains(part)))
}

/// True for a word that may be an account where one is expected.
pub fn may_be_account(word: &str) -> bool {
    !(is_label(word) || NONE.may_hold(word.as_bytes()) && NOT_ACCOUNTS.iter().any(|w| w.eq_ignore_ascii_case(word)))
}

/// Length of the Chinese label at the beginning of `text`.
pub fn wide(text: &str) -> Option<usize> {
    // Nearly every character begins none.
    let first = text.chars().next()?;
    if !matches!(first, '用' | '帐' | '账' | '学' | '工' | '卡' | '姓' | '登' | '操' | '管' | '联' | '帳' | '學') {
        return None;
    }
    let label = WIDE_LABELS.iter().find(|l| text.starts_with(**l))?;
    let mut length = label.len();
    while let Some(more) = WIDE_MORE.iter().find(|m| text.get(length..).is_some_and(|rest| rest.starts_with(**m))) {
        let ends = text.get(length + more.len()..).and_then(|rest| rest.bytes().next()).is_none_or(|b| !is_word(b));
        if more.is_ascii() && !ends {
            break;
        }
        length += more.len();
    }
    Some(length)
}

/// Full-width signs that may stand between a label and its account.
pub fn is_between(c: char) -> bool {
    matches!(c, '：' | '＝' | '\u{3000}') || closing(c).is_some_and(|_| !c.is_ascii())
}

/// What closes a quote or a full-width bracket.
fn closing(c: char) -> Option<char> {
    Some(match c {
        '"' | '\'' => c,
        '“' => '”',
        '‘' => '’',
        '「' => '」',
        '『' => '』',
        '【' => '】',
        '（' => '）',
        '《' => '》',
        '＂' | '＇' => c,
        _ => return None,
    })
}

/// Signs of Chinese and Japanese text and full-width forms of those of ASCII, but for those that names hold.
fn is_wide_mark(c: char) -> bool {
    match c {
        '々' | '〇' | '－' | '．' | '＿' | '＠' => false,
        '\u{3000}'..='\u{303f}' | '\u{2018}'..='\u{201f}' | '…' => true,
        '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}' => true,
        _ => false,
    }
}

fn ends_account(c: char) -> bool {
    matches!(c, ' ' | ',' | ';' | '"' | '\'' | ']' | ')' | '(' | '>' | '<' | '=' | '|') || is_wide_mark(c)
}

/// Length of the account that stands at `at` behind a label.
pub fn account(text: &str, at: usize) -> Option<usize> {
    let (before, rest) = text.split_at_checked(at)?;
    let mut back = before.chars().rev();
    let length = match back.next() {
        // Directly behind a Chinese label.
        Some(c) if c.is_alphanumeric() => rest.find(|c: char| !c.is_ascii() || ends_account(c)),
        Some(c) => closing(c).filter(|_| back.next().is_none_or(|c| !c.is_alphanumeric())).and_then(|close| quoted(rest, close)),
        None => None,
    };
    let length = length.unwrap_or_else(|| rest.find(ends_account).unwrap_or(rest.len()));
    let word = rest.get(..length)?.trim_end_matches(['.', ':', '\\', ' ']);
    let is_account = word.chars().next().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        && may_be_account(word)
        && !WIDE_NOT_ACCOUNTS.iter().any(|w| word.starts_with(w))
        && !is_measure(word, rest.get(length..).unwrap_or_default());
    is_account.then_some(word.len())
}

/// Where a quote closes, not far behind.
fn quoted(rest: &str, close: char) -> Option<usize> {
    rest.char_indices().take_while(|(at, _)| *at <= QUOTED_BYTES).find(|(_, c)| *c == close).map(|(at, _)| at)
}
