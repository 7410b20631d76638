//! Changes of the configuration.

use weir_base::time::Millis;

use crate::macros::record;

record! {
    "One configuration value that is different from the last start. Secrets are file names, never values."
    ConfigChange = 9, "config_change", version 1, Forever, Records, time "time";
    time: Millis = "When it took effect", unit "ms UTC", Plain, key;
    actor: String = "Who: `uid:N` of the process that started the program", unit "", Plain;
    path: String = "The setting, e.g. `sources.ipfix.listen`", unit "", Plain, key;
    old: Option<String> = "The value before; none when it was not set", unit "", Plain;
    new: Option<String> = "The value now; none when it is no longer set", unit "", Plain;
}
