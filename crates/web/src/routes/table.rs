//! The one table of the API: every handler with the one thing it needs of who asks.

use utoipa_axum::routes;
use weir_identity::desk::Capability as C;

use super::{Routes, accounts, approvals, ask, export, ledger, me, oidc, outside, session, settings, state};
use crate::gate::guard::Access::{Here, Link, May, Metrics, Open, Probe, SignIn};

/// All routes.
pub fn all() -> Routes {
    signing_in().and(own()).and(records()).and(administration()).and(outside())
}

fn outside() -> Routes {
    Routes::default()
        .add(Probe, routes!(outside::healthz))
        .add(Probe, routes!(outside::readyz))
        .add(Metrics, routes!(outside::metrics))
        .add(Open, routes!(outside::openapi))
}

fn signing_in() -> Routes {
    Routes::default()
        .add(Here, routes!(session::session_read))
        .add(SignIn, routes!(session::session_password))
        .add(SignIn, routes!(session::session_totp))
        .add(SignIn, routes!(session::session_passkey_begin))
        .add(SignIn, routes!(session::session_passkey_finish))
        .add(Link, routes!(session::invitation_open))
        .add(Link, routes!(session::invitation_accept))
        .add(SignIn, routes!(oidc::oidc_begin))
        .add(SignIn, routes!(oidc::oidc_callback))
        // Half a sign-in can be given up too.
        .add(Open, routes!(session::session_end))
}

fn own() -> Routes {
    Routes::default()
        .add(May(C::Own), routes!(me::factors))
        .add(May(C::Own), routes!(me::again))
        .add(May(C::Own), routes!(me::again_passkey_begin))
        .add(May(C::Own), routes!(me::again_passkey_finish))
        .add(May(C::Own), routes!(me::password_change))
        .add(May(C::Own), routes!(me::totp_begin))
        .add(May(C::Own), routes!(me::totp_finish))
        .add(May(C::Own), routes!(me::totp_remove))
        .add(May(C::Own), routes!(me::passkey_begin))
        .add(May(C::Own), routes!(me::passkey_finish))
        .add(May(C::Own), routes!(me::passkey_remove))
        .add(May(C::Own), routes!(me::sessions))
        .add(May(C::Own), routes!(me::session_remove))
        .add(May(C::Own), routes!(me::tokens, me::token_make))
        .add(May(C::Own), routes!(me::token_remove))
        .add(May(C::Own), routes!(oidc::oidc_link))
        .add(May(C::Own), routes!(oidc::oidc_unlink))
        .add(May(C::Own), routes!(accounts::roles))
        .add(May(C::Own), routes!(approvals::approvals))
        .add(May(C::Own), routes!(approvals::approval))
        .add(May(C::Own), routes!(approvals::approval_result))
        .add(May(C::Own), routes!(approvals::approval_withdraw))
}

fn records() -> Routes {
    Routes::default()
        .add(May(C::OverviewRead), routes!(state::overview))
        .add(May(C::OverviewRead), routes!(state::series))
        .add(May(C::LookupAsk), routes!(ask::lookup_read))
        .add(May(C::LookupAsk), routes!(ask::lookup))
        .add(May(C::RecordsRead), routes!(ask::record_kinds))
        .add(May(C::RecordsRead), routes!(ask::records_search))
        .add(May(C::TextOpen), routes!(ask::record_text))
        .add(May(C::RecordsExport), routes!(export::records_export))
        .add(May(C::SqlRun), routes!(ask::sql))
        .add(May(C::SourcesRead), routes!(state::sources))
        .add(May(C::SourcesRead), routes!(state::source_malformed))
        .add(May(C::SourcesRead), routes!(state::source_guides))
        .add(May(C::LedgerRead), routes!(ledger::ledger))
        .add(May(C::LedgerOpen), routes!(ledger::ledger_open))
        .add(May(C::SealNow), routes!(state::seal))
}

fn administration() -> Routes {
    Routes::default()
        .add(May(C::AccountsRead), routes!(accounts::accounts))
        .add(May(C::AccountsChange), routes!(accounts::account_invite))
        .add(May(C::AccountsChange), routes!(accounts::account_recover))
        .add(May(C::AccountsChange), routes!(accounts::account_disable))
        .add(May(C::AccountsChange), routes!(accounts::account_enable))
        .add(May(C::AccountsChange), routes!(accounts::account_unlock))
        .add(May(C::RolesChange), routes!(accounts::account_roles))
        .add(May(C::ApprovalsConfirm), routes!(approvals::approval_confirm))
        .add(May(C::ApprovalsConfirm), routes!(approvals::approval_refuse))
        .add(May(C::BreakGlassAsk), routes!(approvals::break_glass))
        .add(May(C::Own), routes!(approvals::break_glass_end))
        .add(May(C::SettingsRead), routes!(settings::settings))
        .add(May(C::SettingsChange), routes!(settings::settings_check))
        .add(May(C::SettingsChange), routes!(settings::settings_change))
}
