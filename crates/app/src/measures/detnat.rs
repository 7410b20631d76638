//! Deterministic NAT as a measure: it records the configurations; look-ups compute from them.

use weir_measure::{Context, Description, Title};
use weir_record::Kind;
use weir_sources::detnat::config::Settings;
use weir_sources::detnat::history;

use super::source::Source;

/// The source.
pub struct Detnat {
    settings: Settings,
}

impl Detnat {
    /// A source with these settings.
    pub fn new(settings: &Settings) -> Detnat {
        Detnat { settings: settings.clone() }
    }
}

impl Source for Detnat {
    type Running = ();

    fn describe(&self) -> Description {
        Description {
            name: "detnat",
            title: Title { en: "Deterministic NAT from dated configurations", zh: "确定性地址转换（按配置计算）" },
            obligations: &["8.2", "10.3"],
            kinds: &[Kind::NatConfig],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        history::record(&self.settings, &context.sink, context.clock.now())?;
        Ok(("its configurations are recorded", ()))
    }
}
