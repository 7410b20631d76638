//! Record kinds, one file each.

mod authentication;
mod binding;
mod config_change;
mod gap;
mod maintenance;
mod malformed;
mod nat_config;
mod nat_event;
mod nat_mapping;
mod nat_mapping_columns;
mod operator_action;
mod question;
mod radius_session;
mod raw;
mod source_entry;

pub use authentication::{AuthAction, Authentication, AuthenticationColumns, AuthenticationRow};
pub use binding::{Binding, IdType};
pub use config_change::ConfigChange;
pub use gap::Gap;
pub use maintenance::{LineColumns, Maintenance, MaintenanceRow, MaintenanceText, line_flags};
pub use malformed::{Malformed, shape};
pub use nat_config::NatConfig;
pub use nat_event::{Action, Form, NatEvent, NatEventColumns};
pub use nat_mapping::{NatMapping, RowType, flags};
pub use nat_mapping_columns::NatMappingColumns;
pub use operator_action::OperatorAction;
pub use question::Question;
pub use radius_session::{Name, RadiusSession, Sort, names};
pub use raw::Raw;
pub use source_entry::SourceEntry;
