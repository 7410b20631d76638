//! A sentence for people, in both languages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalogue;

/// A sentence that the program makes. Where nobody has translated it both are the English one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Words {
    /// An English sentence with its Chinese beside it.
    pub fn of(en: impl Into<String>) -> Words {
        let en = en.into();
        let zh = catalogue::chinese(&en).unwrap_or_else(|| en.clone());
        Words { en, zh }
    }

    /// The same in both languages: names, and what people wrote.
    pub fn same(text: impl Into<String>) -> Words {
        let en = text.into();
        Words { zh: en.clone(), en }
    }

    /// None for an empty sentence.
    pub fn some(en: impl Into<String>) -> Option<Words> {
        Some(en.into()).filter(|en| !en.is_empty()).map(Words::of)
    }
}
