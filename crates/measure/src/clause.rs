//! The clauses that measures of this program fulfil, as data. An id is `article.point`, as used in configuration, records and reports.

/// One clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its id, e.g. `8.2`.
    pub id: &'static str,
    /// Short title in Chinese.
    pub zh: &'static str,
    /// Short title in English.
    pub en: &'static str,
}

/// Every clause a measure may name, in the order of the text.
pub const CLAUSES: &[Clause] = &[
    Clause { id: "3", zh: "功能正常发挥", en: "Measures are in place and keep working" },
    Clause { id: "4.1", zh: "注册信息保密", en: "Registration information stays confidential" },
    Clause { id: "7.3", zh: "登录与维护日志留存", en: "Login and maintenance logs are kept" },
    Clause { id: "8.2", zh: "地址转换对应关系", en: "Address translation is traceable (access)" },
    Clause { id: "8.3", zh: "网络运行与安全审计", en: "Network status and security events are recorded" },
    Clause { id: "10.3", zh: "联网单位地址转换", en: "Address translation is traceable (network-using units)" },
    Clause { id: "13", zh: "留存期限", en: "Records are kept for their period" },
    Clause { id: "14", zh: "措施不停用、不破坏、不篡改", en: "Measures are not stopped, broken or altered" },
];

/// The clause with this id.
pub fn clause(id: &str) -> Option<&'static Clause> {
    CLAUSES.iter().find(|c| c.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_in_the_order_of_the_text_and_titled_in_both_languages() {
        let order = |c: &Clause| c.id.split('.').map(|n| n.parse::<u32>().unwrap()).collect::<Vec<_>>();
        assert!(CLAUSES.windows(2).all(|two| order(&two[0]) < order(&two[1])));
        for c in CLAUSES {
            assert_eq!(clause(c.id), Some(c));
            assert!(!c.zh.is_ascii() && c.en.is_ascii() && !c.en.is_empty(), "{}", c.id);
        }
        for id in ["7.3", "8.2", "8.3", "10.3", "14"] {
            assert!(clause(id).is_some(), "{id}");
        }
        assert_eq!(clause("8"), None);
    }
}
