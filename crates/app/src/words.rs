//! A question as words, as the command line and the socket bring it.

use serde::{Deserialize, Serialize};
use weir_attribution::Question;
use weir_attribution::question::{parse_end, parse_protocol};
use weir_base::time::{Millis, parse_duration_ms};

use crate::fail::Failure;

/// A question as it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Public address and port.
    pub public: String,
    /// Protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The moment.
    pub at: String,
    /// The far end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<String>,
}

impl Words {
    /// The question.
    pub fn read(&self) -> Result<Question, Failure> {
        let bad = |e: weir_attribution::QuestionError| Failure { code: crate::fail::USAGE, ..Failure::sentence(e) };
        let (public, port) = parse_end("--public", &self.public).map_err(bad)?;
        let protocol = self.protocol.as_deref().map(parse_protocol).transpose().map_err(bad)?;
        let remote = self.remote.as_deref().map(|r| parse_end("--remote", r)).transpose().map_err(bad)?;
        let at = self
            .at
            .parse::<Millis>()
            .map_err(|_| Failure::usage("--at is not understood as a time", "write it as 2026-11-22T10:00:00.123+08:00, with the zone"))?;
        let skew_ms = match &self.skew {
            None => weir_attribution::limits::SKEW_MS_DEFAULT,
            Some(text) => parse_duration_ms(text).map_err(|_| Failure::usage("--skew is not a duration", "write it as 150ms, 2s or 1m"))?,
        };
        let question = Question { public, port, protocol, at, remote, skew_ms };
        question.check().map_err(bad)?;
        Ok(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(public: &str, at: &str) -> Words {
        Words { public: public.into(), at: at.into(), ..Words::default() }
    }

    #[test]
    fn bad_words_are_usage_errors_that_do_not_repeat_an_address() {
        let at = "2026-11-22T10:00:00.123+08:00";
        let good = Words { protocol: Some("tcp".into()), skew: Some("150ms".into()), ..words("203.0.113.7:40123", at) };
        let question = good.read().unwrap();
        assert_eq!((question.port, question.protocol, question.skew_ms), (Some(40123), Some(6), 150));
        for bad in [
            words("203.0.113.7:99999", at),
            words("203.0.113.999", at),
            words("203.0.113.7", "yesterday"),
            Words { protocol: Some("ip".into()), ..words("203.0.113.7", at) },
            Words { skew: Some("1h".into()), ..words("203.0.113.7", at) },
            Words { skew: Some("wide".into()), ..words("203.0.113.7", at) },
            Words { remote: Some("x".into()), ..words("203.0.113.7", at) },
        ] {
            let failure = bad.read().unwrap_err();
            assert_eq!(failure.code, crate::fail::USAGE);
            assert!(!failure.to_string().contains("203.0.113.999") && !failure.todo.is_empty(), "{failure}");
        }
    }
}
