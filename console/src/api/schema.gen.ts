// Made from docs/openapi.json by `npm run types`; not changed by hand.
export interface paths {
    "/api/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The accounts. */
        get: operations["accounts"];
        put?: never;
        /** Asks for a new account. While the unit is being set up the link comes at once; afterwards a second person confirms first. */
        post: operations["account_invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Disables an account; its sessions and tokens end. */
        post: operations["account_disable"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks to enable an account again. */
        post: operations["account_enable"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/recover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks for a new link for an account whose factors are lost. */
        post: operations["account_recover"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks for other roles. */
        post: operations["account_roles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/unlock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the lock that failures put on an account. */
        post: operations["account_unlock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What waits, and what came of it: all of it for who may read approvals, one's own for everybody. */
        get: operations["approvals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of them. */
        get: operations["approval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirms exactly what was looked at. The last confirmation of what leads to a one-use link gives its code, once. */
        post: operations["approval_confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Refuses it. */
        post: operations["approval_refuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The one-use link that a confirmed approval led to: for the one who asked, once. */
        get: operations["approval_result"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals/{id}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes one's own request back. */
        post: operations["approval_withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks for a role in an emergency: two others confirm, every page shows it, and it ends by itself. */
        post: operations["break_glass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/break-glass/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends one's own emergency before its time. */
        post: operations["break_glass_end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Becomes an account by a one-use link, and signs in. */
        post: operations["invitation_accept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a one-use link leads to. It is not used by that. */
        post: operations["invitation_open"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Entries, newest first. Reading them is an entry too. */
        get: operations["ledger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ledger/{id}/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What one entry asked. Opening it is an entry too. */
        post: operations["ledger_open"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Who held these public addresses and ports at these moments? One ledger record each. */
        post: operations["lookup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/lookup/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reads what people paste. Nothing of it is asked. */
        post: operations["lookup_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/again": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signs in again within the session, with the password: what changes factors, password or tokens needs a sign-in that is not older than ten
         *     minutes.
         */
        post: operations["again"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/again/passkey/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins to sign in again with a passkey. */
        post: operations["again_passkey_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/again/passkey/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs in again with a passkey. */
        post: operations["again_passkey_finish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How this account signs in. */
        get: operations["factors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/oidc/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes the link with a provider's subject away. */
        delete: operations["oidc_unlink"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/oidc/{name}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Goes to the provider to link its subject to this account. */
        get: operations["oidc_link"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins to enrol a passkey. */
        post: operations["passkey_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Enrols a passkey. */
        post: operations["passkey_finish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes a passkey away. */
        delete: operations["passkey_remove"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Changes the password; the account's other sessions end. */
        post: operations["password_change"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sessions of this account. */
        get: operations["sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends one of them. */
        delete: operations["session_remove"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The API tokens of this account. */
        get: operations["tokens"];
        put?: never;
        /** Makes an API token. The token itself is in this answer and never again. */
        post: operations["token_make"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes an API token away. */
        delete: operations["token_remove"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes TOTP away. */
        delete: operations["totp_remove"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/totp/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins to set up TOTP. */
        post: operations["totp_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/totp/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sets TOTP up with its first code. */
        post: operations["totp_finish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is everything all right? */
        get: operations["overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Rates and losses of the last minutes. */
        get: operations["series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/records/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exports rows through the masking view, as CSV or JSON lines. An answer that ends without its last chunk is not whole. */
        post: operations["records_export"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/records/kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Kinds that have a view for the one who asks. */
        get: operations["record_kinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/records/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Rows through the masking view, newest first. */
        post: operations["records_search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/records/{id}/text": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens a log line as it came. That it was opened, and why, is in the ledger before it is shown. */
        post: operations["record_text"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The roles, and what each may do. */
        get: operations["roles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/seal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Seals what waits. */
        post: operations["seal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in; answered without being signed in too. */
        get: operations["session_read"];
        put?: never;
        post?: never;
        /** Signs out, or gives up half a sign-in. */
        delete: operations["session_end"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/oidc/{name}/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Goes to the provider. */
        get: operations["oidc_begin"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/oidc/{name}/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Comes back from the provider. */
        get: operations["oidc_callback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/passkey/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins to sign in with a passkey, alone or after a password. */
        post: operations["session_passkey_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/passkey/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs in with a passkey. */
        post: operations["session_passkey_finish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs in with a password. */
        post: operations["session_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives the second factor. */
        post: operations["session_totp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The configuration. */
        get: operations["settings"];
        put?: never;
        /** Makes changes; the next start takes them in. What needs two persons waits, and is sent again with the confirmed approval. */
        post: operations["settings_change"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What changes would do. Nothing is changed. */
        post: operations["settings_check"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sources. */
        get: operations["sources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/guides": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How to point devices here. */
        get: operations["source_guides"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sources/{number}/malformed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest inputs of a source that were not understood, at most 100: their shape, never their bytes. */
        get: operations["source_malformed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sql": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A statement over the masking views. It ends with its connection. */
        post: operations["sql"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in Prometheus' text form. Asked from this machine itself, no token is needed. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Takes records in and can answer. Why not, where not, is on the overview. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description `POST /api/v1/invitations/accept`: becomes an account and signs in. The token comes from the link's fragment, which no server sees. */
        Accept: {
            /** @description The code of who confirmed the link, where it needs one. */
            code?: string | null;
            /** @description Name shown to people. */
            display: string;
            /** @description Sign-in name wanted: 2 to 32 of a-z 0-9 . _ - */
            login: string;
            /** @description Password: at least 12 characters. */
            password: string;
            /** @description The token of the one-use link. */
            token: string;
        };
        /** @description An account. */
        Account: {
            /** @description Name shown to people. */
            display: string;
            /** @description Account id (32 hex digits). */
            id: string;
            /** @description Last sign-in. */
            last_sign_in?: string | null;
            /** @description Locked until, when failures locked it. */
            locked_until?: string | null;
            /** @description Sign-in name; empty while the invitation is open. */
            login: string;
            /** @description The person behind it: two accounts of one person count as one where two persons are needed. */
            person: string;
            /** @description Roles. */
            roles: string[];
            /** @description Has a second factor. */
            second_factor: boolean;
            /** @description Since (RFC 3339). */
            since: string;
            /** @description `invited`, `link-ended` (its link ran out or is void: `recover` asks for a new one), `active`, `locked` (too many failures), `disabled`. */
            state: string;
        };
        /** @description `POST /api/v1/me/again`: signs in again within the session, before factors, password or tokens are changed. */
        Again: {
            /** @description The code of the authenticator app, when the account has one. */
            code?: string | null;
            /** @description Password. */
            password: string;
        };
        /** @description Answers, in the order of the questions. */
        Answers: {
            /** @description As `weir lookup --json` shows an answer (docs/answers.md), with `reason_zh` beside `reason`; or `{"error": {"what", "todo"}}`, both `{"en", "zh"}`. */
            answers: Record<string, never>[];
        };
        /** @description A request that a second person confirms. */
        Approval: {
            /** @description Asked at (RFC 3339). */
            asked_at: string;
            /** @description Asked by: account id. */
            asked_by: string;
            /** @description Name of who asked. */
            asked_by_display: string;
            /** @description What exactly is asked for, as a person reads it. */
            content: Record<string, never>;
            /** @description SHA-256 of the canonical content: what is confirmed. */
            digest: string;
            /** @description Ends at. */
            expires: string;
            /** @description A one-use link waits under `/result`, for the one who asked. */
            has_result?: boolean;
            /** @description Id (32 hex digits). */
            id: string;
            /** @description `account-create`, `role-change`, `account-recover`, `setting-change`, `break-glass`, … */
            kind: string;
            /** @description May the one who reads this confirm it? */
            may_confirm: boolean;
            /**
             * Format: int32
             * @description How many persons must confirm beside the one who asks.
             */
            needed: number;
            /** @description Why. */
            reason: string;
            /** @description `waiting`, `confirmed`, `used`, `refused`, `withdrawn`, `expired`, `void` (the content changed). */
            state: string;
            /** @description Each step: who, when, what. */
            steps: components["schemas"]["Step"][];
            why_not?: components["schemas"]["Words"] | null;
        };
        /** @description `POST /api/v1/lookup`. */
        Ask: {
            /** @description Say how the answers came about. */
            explain?: boolean;
            /** @description `operate`, `security-event` or `drill`. */
            purpose: string;
            /** @description Questions, 1 to 1,000: one ledger record each. */
            questions: components["schemas"]["Question"][];
        };
        /** @description `POST /api/v1/break-glass`: asks for a role in an emergency. Two others confirm. */
        BreakGlass: {
            /**
             * Format: int32
             * @description Minutes it is held: 1 to 60.
             */
            minutes: number;
            /** @description Why. */
            reason: string;
            /** @description Role. */
            role: string;
        };
        /** @description A passkey ceremony's options, as `navigator.credentials` takes them (WebAuthn Level 3, `PublicKeyCredential…OptionsJSON`). */
        Ceremony: {
            /** @description Options in the JSON form; binary members are base64url. */
            public_key: Record<string, never>;
        };
        /** @description What came of a change that may need two persons. */
        Changed: {
            /** @description The approval it waits for. */
            approval?: string | null;
            /** @description A one-use link, once: hand it to the person yourself. */
            link?: string | null;
            remark?: components["schemas"]["Words"] | null;
            /** @description `done`, or `waits` for a second person. */
            state: string;
        };
        /** @description What a change would do. */
        Checked: {
            /** @description What differs. */
            differences: components["schemas"]["Difference"][];
            /** @description Everything that is wrong with it; empty when it can be made. */
            problems: components["schemas"]["SettingProblem"][];
            /** @description It needs a second person. */
            two_persons: boolean;
        };
        /** @description A clause. */
        ClauseName: {
            /** @description Title in English. */
            en: string;
            /** @description Id, e.g. `8.2`. */
            id: string;
            /** @description Title in Chinese. */
            zh: string;
        };
        /** @description A column. */
        Column: {
            /** @description `plain`, `identifier` (masked: a new stand-in for every request), …. */
            class: string;
            /** @description What it is. */
            doc: components["schemas"]["Words"];
            /** @description Name. */
            name: string;
            /** @description Unit; empty where there is none. */
            unit: string;
        };
        /** @description `POST /api/v1/approvals/{id}/confirm`. */
        Confirm: {
            /** @description The digest that was looked at: another one is refused. */
            digest: string;
        };
        /** @description What a confirmation gives. */
        Confirmed: components["schemas"]["Approval"] & {
            /**
             * @description Of the last confirmation of an approval that leads to a one-use link: the code that whoever uses the link must give too, `XXXX-XXXX`,
             *     once. Give it to that person yourself, by another way than the link.
             */
            code?: string | null;
        };
        /** @description What `navigator.credentials` gave (`PublicKeyCredential.toJSON()`). */
        Credential: {
            /** @description The credential in its JSON form. */
            credential: Record<string, never>;
            /** @description Name for the list of passkeys, when one is enrolled. */
            name?: string | null;
        };
        /** @description A difference. */
        Difference: {
            /** @description After; none takes the change made here back. */
            new?: string | null;
            /** @description Before. */
            old?: string | null;
            /** @description Path. */
            path: string;
            /** @description Needs a second person. */
            two_persons: boolean;
        };
        /** @description A role taken in an emergency (break-glass). */
        Emergency: {
            /** @description Role. */
            role: string;
            /** @description Ends at (RFC 3339). */
            until: string;
        };
        /** @description `POST /api/v1/records/export`: answered as a stream; the ledger has it before the first byte, and the rows written after the last. */
        Export: {
            /** @description `csv` or `jsonl`. */
            format: string;
            /** @description From (RFC 3339). */
            from?: string | null;
            /** @description Kind. */
            kind: string;
            /** @description Why, in words: 4 to 200 characters. */
            reason: string;
            /** @description To. */
            to?: string | null;
        };
        /** @description `GET /api/v1/me/factors`: how this account signs in. */
        Factors: {
            /** @description Passkeys. */
            passkeys: components["schemas"]["Passkey"][];
            /** @description A password is set. */
            password: boolean;
            /** @description OpenID subjects linked. */
            providers: string[];
            /** @description TOTP is set up. */
            totp: boolean;
        };
        /** @description Records known to be lost. */
        GapState: {
            /**
             * Format: int64
             * @description How many, when known.
             */
            count?: number | null;
            /** @description From. */
            from: string;
            /** @description Source name. */
            name: string;
            /** @description Why. */
            reason: string;
            /**
             * Format: int32
             * @description Source number.
             */
            source: number;
            /** @description To. */
            to: string;
        };
        /** @description How to point a device here. */
        Guide: {
            /** @description Commands to copy, with this program's own ports filled in. */
            commands: string;
            /** @description Kind of source, e.g. `ipfix`. */
            kind: string;
            /** @description What to mind, in English. */
            note: string;
            /** @description The same in Chinese. */
            note_zh: string;
            /** @description Vendor or program, e.g. `Juniper MX`. */
            vendor: string;
        };
        /** @description What a one-use link leads to. */
        Invitation: {
            /** @description The code of who confirmed the link must be given too. */
            code_needed: boolean;
            /** @description The name shown to people; none for the first account, which names itself. */
            display?: string | null;
            /** @description The link ends at (RFC 3339); the first account's ends with the program. */
            expires?: string | null;
            /** @description The account is there already and gets new factors: its sign-in name stays and must be given. */
            recovers: boolean;
        };
        /** @description `POST /api/v1/accounts`: asks for a new account. While the unit is being set up the invitation comes at once; afterwards a second person confirms first. */
        Invite: {
            /** @description Name shown to people. */
            display: string;
            /** @description The person, when this person has an account already. */
            person?: string | null;
            /** @description Why. */
            reason: string;
            /** @description Roles. */
            roles: string[];
        };
        /** @description A kind that has a view. */
        KindShape: {
            /** @description Its columns. */
            columns: components["schemas"]["Column"][];
            /** @description What it is. */
            doc: components["schemas"]["Words"];
            /** @description Name, e.g. `nat_mapping`. */
            name: string;
            /** @description Words can be searched in it. */
            searchable: boolean;
        };
        /** @description Entries, newest first. */
        Ledger: {
            /** @description Entries. */
            entries: components["schemas"]["LedgerEntry"][];
            /** @description There are older ones. */
            more: boolean;
        };
        /** @description An entry. */
        LedgerEntry: {
            /** @description What was done. */
            act: string;
            /** @description Who: `account:ID`, `token:ID`, or `uid:N`. */
            actor: string;
            /** @description What came back: one, none, several, unknown, rows, refused, failed. */
            answer: string;
            /** @description Their name, while the account exists. */
            display?: string | null;
            /** @description Id of the question. */
            id: string;
            /** @description Asked off line. */
            offline: boolean;
            /** @description Why. */
            purpose: string;
            /**
             * Format: int64
             * @description Candidates or rows.
             */
            rows: number;
            /** @description When. */
            time: string;
        };
        /** @description A line of the chart; its lists are as long as `times`. */
        Line: {
            /** @description Kind of source. */
            kind: string;
            /** @description Records known to be lost, in each step. */
            lost: number[];
            /** @description Inputs not understood, in each step. */
            malformed: number[];
            /** @description Records a second. */
            records: number[];
        };
        /** @description `POST /api/v1/invitations/open`: what a one-use link leads to. The link is not used by that. */
        Link: {
            /** @description The token of the one-use link. */
            token: string;
        };
        /** @description Something that was not understood: its reason and its shape, never its bytes. */
        Malformed: {
            /**
             * Format: int64
             * @description Length of the input in bytes.
             */
            bytes?: number | null;
            /**
             * Format: int64
             * @description Where in the input.
             */
            offset?: number | null;
            /** @description Reason code. */
            reason: string;
            /** @description Its shape, with letters and digits replaced. */
            shape?: string | null;
            /** @description When. */
            time: string;
        };
        /** @description The one who is signed in. */
        Me: {
            /** @description Name shown to people. */
            display: string;
            emergency?: components["schemas"]["Emergency"] | null;
            /** @description Account id, e.g. `3f2a…` (32 hex digits). */
            id: string;
            /** @description Sign-in name. */
            login: string;
            /** @description What these roles may do, e.g. `lookup.ask`: the console shows only this. */
            may: string[];
            /** @description Roles, e.g. `operator`. */
            roles: string[];
            /**
             * Format: int64
             * @description Approvals that wait for this person.
             */
            waiting: number;
        };
        /** @description A measure. */
        MeasureState: {
            /** @description Clauses it helps to fulfil. */
            clauses: components["schemas"]["ClauseName"][];
            /** @description Title in English. */
            en: string;
            /** @description Its last drill. */
            last_drill?: string | null;
            /** @description Name. */
            name: string;
            /** @description Since. */
            since: string;
            /** @description `running`, `degraded`, `stopped`. */
            state: string;
            why?: components["schemas"]["Words"] | null;
            /** @description Title in Chinese. */
            zh: string;
        };
        /** @description `POST /api/v1/me/tokens`. */
        NewToken: {
            /**
             * Format: int32
             * @description Days it holds: 1 to 366.
             */
            days: number;
            /** @description Name, 1 to 64 characters. */
            name: string;
            /** @description What it may do. */
            scope: string[];
        };
        /** @description Something that needs a person. */
        Notice: {
            /** @description What, as a key of the message catalogue, e.g. `disk-full`. */
            code: string;
            /** @description `error`, `warning` or `info`. */
            level: string;
            /** @description Since. */
            since?: string | null;
            /** @description Words for it. */
            text: components["schemas"]["Words"];
        };
        /** @description `POST /api/v1/ledger/{id}/open`: shows what was asked; itself a record of the ledger. */
        Open: {
            /** @description Why, in words: 4 to 200 characters. */
            reason: string;
        };
        /** @description A session of this account. */
        OpenSession: {
            /** @description Where from. */
            address: string;
            /** @description Browser, cut to 128 bytes. */
            agent: string;
            /** @description The one that asks. */
            current: boolean;
            /** @description Id for ending it. */
            id: string;
            /** @description Since (RFC 3339). */
            since: string;
            /** @description Last used. */
            used: string;
        };
        /** @description `POST /api/v1/records/{id}/text`: opens a log line as it came; itself a record of the ledger. */
        OpenText: {
            /** @description Why, in words: 4 to 200 characters. */
            reason: string;
            /** @description When the line was written (RFC 3339): the column `time` of its record. */
            time: string;
        };
        /** @description What was asked. */
        Opened: {
            /** @description The question or the statement. */
            target: string;
        };
        /** @description `GET /api/v1/overview`. */
        Overview: {
            /** @description Newest gaps, newest first, at most 50. */
            gaps: components["schemas"]["GapState"][];
            /** @description The measures. */
            measures: components["schemas"]["MeasureState"][];
            /** @description What needs a person, worst first: full disk, source in trouble, break-glass open, …. */
            notices: components["schemas"]["Notice"][];
            /** @description The program's clock now (RFC 3339). */
            now: string;
            /** @description Running since. */
            since: string;
            /** @description The store. */
            store: components["schemas"]["StoreState"];
        };
        /** @description A passkey. */
        Passkey: {
            /** @description Id for removing it. */
            id: string;
            /** @description Name given. */
            name: string;
            /** @description Enrolled at (RFC 3339). */
            since: string;
            /** @description Last used at. */
            used?: string | null;
        };
        /** @description `POST /api/v1/me/password`. */
        PasswordChange: {
            /** @description The new one: at least 12 characters. */
            new: string;
            /** @description The password now. */
            old: string;
        };
        /** @description `POST /api/v1/session/password`. */
        PasswordSignIn: {
            /** @description Sign-in name. */
            login: string;
            /** @description Password. */
            password: string;
        };
        /** @description `POST /api/v1/lookup/read`: what people paste. */
        Paste: {
            /** @description A line or a table, at most 1,000 lines: `203.0.113.7:40123 2026-11-22 10:00:00`, a web server's log line, a firewall's line, CSV. */
            text: string;
            /** @description Zone for times that name none, e.g. `+08:00`. */
            zone: string;
        };
        /** @description Why a request was not done. Media type `application/problem+json`. */
        Problem: {
            /** @description What is wrong here. Free of personal data. */
            detail: string;
            /** @description Field of the request that is wrong, where one is. */
            field?: string | null;
            /**
             * Format: int64
             * @description Seconds until it is worth trying again, where waiting helps.
             */
            retry_after?: number | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description In a few words. */
            title: string;
            /** @description What to do next. */
            todo: string;
            /** @description What kind of problem, e.g. `urn:weir:problem:not-signed-in`; the last part is one of the codes of docs/api.md. */
            type: string;
        };
        /** @description An OpenID provider. */
        Provider: {
            /** @description Name in URLs. */
            name: string;
            /** @description Title on the button. */
            title: string;
        };
        /** @description A question. */
        Question: {
            /** @description The moment with its zone, e.g. `2026-11-22T10:00:00.123+08:00`. */
            at: string;
            /** @description `tcp`, `udp`, `icmp` or a number. */
            protocol?: string | null;
            /** @description Public address with its port, e.g. `203.0.113.7:40123` or `[2001:db8::1]:443`. */
            public: string;
            /** @description The far end. */
            remote?: string | null;
            /** @description How far the asker's clock may be off, e.g. `2s`. */
            skew?: string | null;
        };
        /** @description What was read from a paste. */
        Read: {
            /** @description A line each. */
            lines: components["schemas"]["ReadLine"][];
        };
        /** @description A line of a paste. */
        ReadLine: {
            /** @description What was assumed, e.g. that a time without a zone is in the given one. */
            assumed: components["schemas"]["Words"][];
            /** @description What it was taken for: `plain`, `csv`, `combined-log`, `syslog`, `iptables`, `json`, …. */
            form?: string | null;
            /**
             * Format: int32
             * @description Line number, from 1.
             */
            line: number;
            problem?: components["schemas"]["Words"] | null;
            question?: components["schemas"]["Question"] | null;
        };
        /** @description `POST /api/v1/accounts/{id}/{recover,disable,enable,unlock}`. */
        Reason: {
            /** @description Why. */
            reason: string;
        };
        /** @description Rows, newest first. */
        Records: {
            /** @description Names of the columns, in order. */
            columns: string[];
            /** @description There are older rows: ask again with `to` just before the oldest of these. */
            more: boolean;
            /** @description Rows: an object each. */
            rows: Record<string, never>[];
        };
        /** @description `POST /api/v1/records/search`: in a body, because words that are searched for belong into no URL. */
        RecordsQuery: {
            /** @description From (RFC 3339). */
            from?: string | null;
            /** @description Kind. */
            kind: string;
            /**
             * Format: int32
             * @description Rows at most, 1 to 1,000.
             */
            limit?: number | null;
            /** @description Words that must all be in a line; kind `maintenance` only. */
            match?: string | null;
            /**
             * Format: int32
             * @description Source number.
             */
            source?: number | null;
            /** @description To. */
            to?: string | null;
            /** @description Lines that no dialect understands alone; kind `maintenance` only. */
            unrecognised?: boolean | null;
        };
        /** @description A role, and what it may do. */
        Role: {
            /** @description Title in English. */
            en: string;
            /** @description What it may do. */
            may: string[];
            /** @description Name, e.g. `audit-admin`. */
            name: string;
            /** @description Roles the same person may not hold. */
            never_with: string[];
            /** @description Title in Chinese. */
            zh: string;
        };
        /** @description `POST /api/v1/accounts/{id}/roles`. */
        RoleChange: {
            /** @description Why. */
            reason: string;
            /** @description The roles it shall have. */
            roles: string[];
        };
        /** @description `GET /api/v1/overview/series?minutes=60`. */
        Series: {
            /** @description A line a kind of source (`ipfix`, `radius`, …). */
            lines: components["schemas"]["Line"][];
            /** @description Rows sealed in each step. */
            sealed: number[];
            /**
             * Format: int32
             * @description Seconds between two points.
             */
            step_seconds: number;
            /** @description End of each step (RFC 3339). */
            times: string[];
        };
        /** @description `GET /api/v1/session`: answered without being signed in too. */
        Session: {
            account?: components["schemas"]["Me"] | null;
            /** @description To be sent back as `X-Weir-CSRF` with every POST, PUT and DELETE. */
            csrf: string;
            /**
             * Format: int64
             * @description Seconds until the session ends without use.
             */
            idle_seconds?: number | null;
            /** @description What is still needed before the sign-in is complete: `totp`, `passkey` or `enrol` (a second factor must be set up first). */
            next?: string | null;
            /** @description OpenID providers one can sign in with. */
            providers: components["schemas"]["Provider"][];
            /** @description True while no administrator exists: only an invitation can be accepted. */
            setup: boolean;
            /** @description The unit. */
            unit: components["schemas"]["Unit"];
            /** @description Version of the program. */
            version: string;
        };
        /** @description A setting. */
        Setting: {
            /** @description Default as TOML writes it. */
            default: string;
            /** @description May be changed here. */
            editable: boolean;
            /** @description `default`, `file`, `desk` (changed here) or `set` (`--set`). */
            origin: string;
            /** @description Path, e.g. `store.seal_every`. */
            path: string;
            /** @description What a value looks like, in words. */
            shape: components["schemas"]["Words"];
            /** @description A change needs a second person. */
            two_persons: boolean;
            /** @description Value as TOML writes it; a secret is a file's name, never the secret. */
            value: string;
        };
        /** @description `POST /api/v1/settings/check` and `POST /api/v1/settings`. */
        SettingChange: {
            /** @description A confirmed approval of exactly these changes. */
            approval?: string | null;
            /** @description Path → value as TOML writes it; null takes the change made here back. */
            changes: {
                [key: string]: string | null;
            };
            /** @description Why. */
            reason: string;
        };
        /** @description What is wrong with a setting. */
        SettingProblem: {
            /** @description Path. */
            path: string;
            /** @description What is wrong and what to do. */
            text: components["schemas"]["Words"];
        };
        /** @description `GET /api/v1/settings`. */
        Settings: {
            /** @description Changes made here that the next start takes in. */
            pending: components["schemas"]["Difference"][];
            /** @description Every setting. */
            values: components["schemas"]["Setting"][];
        };
        /** @description A source. */
        Source: {
            /** @description `measured` or `trust`. */
            clock: string;
            /** @description Everything it sent up to here is kept. */
            complete_to?: string | null;
            /**
             * Format: int64
             * @description Doubles.
             */
            duplicates: number;
            /**
             * Format: int64
             * @description Understood but not kept.
             */
            ignored: number;
            /** @description `radius`, `ipfix`, `syslog`, …. */
            kind: string;
            /** @description Last message. */
            last_seen?: string | null;
            /**
             * Format: int64
             * @description Records known to be lost.
             */
            lost: number;
            /**
             * Format: int64
             * @description Inputs not understood.
             */
            malformed: number;
            /**
             * Format: int64
             * @description Messages.
             */
            messages: number;
            /** @description Name. */
            name: string;
            /**
             * Format: int32
             * @description Number.
             */
            number: number;
            /**
             * Format: int64
             * @description Its clock less ours, in ms.
             */
            offset_ms?: number | null;
            /** @description The sender, or the file it reads. */
            peer: string;
            /** @description Exporter profile. */
            profile: string;
            /**
             * Format: double
             * @description Records a second over the last minute.
             */
            rate: number;
            /** @description Realm. */
            realm: string;
            /**
             * Format: int64
             * @description Records.
             */
            records: number;
            /** @description Since. */
            since: string;
            /** @description Records a second over the last hour, a point a minute. */
            spark: number[];
            /** @description `ok`, `silent` (nothing for five minutes), `trouble`. */
            state: string;
            trouble?: components["schemas"]["Words"] | null;
            /**
             * Format: int64
             * @description Lines no dialect understands.
             */
            unrecognised: number;
        };
        /** @description `POST /api/v1/sql`. */
        Statement: {
            /** @description One SELECT over the masking views. */
            statement: string;
        };
        /** @description A step of an approval. */
        Step: {
            /** @description Who: account id; empty for the program itself. */
            actor: string;
            /** @description Name. */
            display: string;
            reason?: components["schemas"]["Words"] | null;
            /** @description When (RFC 3339). */
            time: string;
            /** @description `asked`, `confirmed`, `refused`, `withdrawn`, `used`, `expired`, `void`. */
            what: string;
        };
        /** @description The store. */
        StoreState: {
            /**
             * Format: int64
             * @description Bytes of the data folder's file system that are free.
             */
            free_bytes: number;
            /** @description The disk is full. */
            full: boolean;
            /** @description When something was last sealed. */
            last_sealed?: string | null;
            /**
             * Format: int64
             * @description Entries of the log.
             */
            log_size: number;
            /**
             * Format: int64
             * @description Open mappings.
             */
            open_mappings: number;
            /**
             * Format: int64
             * @description Open sessions.
             */
            open_sessions: number;
            trouble?: components["schemas"]["Words"] | null;
            /**
             * Format: int64
             * @description Rows not sealed yet.
             */
            waiting_rows: number;
            /**
             * Format: int64
             * @description Bytes of the write-ahead log.
             */
            wal_bytes: number;
        };
        /** @description What a statement gives. */
        Table: {
            /** @description Names of the columns, in order. */
            columns: string[];
            /** @description There are more rows than these. */
            cut: boolean;
            /** @description Rows: an object each. */
            rows: Record<string, never>[];
        };
        /** @description A log line as it came. */
        Text: {
            /** @description The line; bytes that are no text are replaced. */
            text: string;
        };
        /** @description An API token. */
        Token: {
            /** @description Ends at (RFC 3339); at most a year ahead. */
            expires: string;
            /** @description Id for removing it. */
            id: string;
            /** @description Name given. */
            name: string;
            /** @description What it may do: a part of what its account may. */
            scope: string[];
            /** @description The token itself: in the answer that makes it, and never again. */
            secret?: string | null;
            /** @description Last used. */
            used?: string | null;
        };
        /** @description `POST /api/v1/me/totp/begin`. */
        TotpBegin: {
            /** @description Secret in base32, for typing. */
            secret: string;
            /** @description `otpauth://` URI, for a QR code. */
            uri: string;
        };
        /** @description `POST /api/v1/session/totp`. */
        TotpSignIn: {
            /** @description Six digits (RFC 6238). */
            code: string;
        };
        /** @description The unit. */
        Unit: {
            /** @description A demonstration: nobody in it exists. */
            demo: boolean;
            /** @description Its kinds: access, information, datacenter, venue, user. */
            kinds: string[];
            /** @description Origin of its log. */
            origin: string;
        };
        /** @description A sentence that the program makes. Where nobody has translated it both are the English one. */
        Words: {
            /** @description In English. */
            en: string;
            /** @description In Chinese. */
            zh: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    accounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    account_invite: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Invite"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    account_disable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the account */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    account_enable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the account */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    account_recover: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the account */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    account_roles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the account */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    account_unlock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the account */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approvals: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the approval */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approval_confirm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the approval */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Confirm"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approval_refuse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the approval */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approval_result: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the approval */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approval_withdraw: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the approval */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Approval"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    break_glass: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BreakGlass"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    break_glass_end: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invitation_accept: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Accept"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invitation_open: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Link"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ledger: {
        parameters: {
            query?: {
                /** @description From (RFC 3339). */
                from?: string;
                /** @description To. */
                to?: string;
                /** @description Who: `account:ID` or `uid:N`. */
                actor?: string;
                /** @description What was done: lookup, lookup-batch, records, sql, export, key-show, text, ledger-open. */
                act?: string;
                /** @description Rows at most, 1 to 1,000. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ledger"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ledger_open: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the entry */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Open"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Opened"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    lookup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Ask"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answers"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    lookup_read: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Paste"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Read"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    again: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Again"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    again_passkey_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ceremony"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    again_passkey_finish: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credential"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    factors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Factors"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    oidc_unlink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the provider */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    oidc_link: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the provider */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the provider */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    passkey_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ceremony"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    passkey_finish: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credential"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    passkey_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the passkey */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    password_change: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenSession"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the session */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    token_make: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    token_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the token */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    totp_remove: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    totp_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpBegin"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    totp_finish: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TotpSignIn"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    series: {
        parameters: {
            query?: {
                /** @description Minutes, 5 to 1,440; 60 by default. */
                minutes?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    records_export: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Export"];
            };
        };
        responses: {
            /** @description The rows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    record_kinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KindShape"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    records_search: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecordsQuery"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Records"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    record_text: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The column `text` of a maintenance record */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenText"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Text"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    roles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    seal: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sealed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_read: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_end: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    oidc_begin: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the provider */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the provider */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    oidc_callback: {
        parameters: {
            query?: {
                /** @description The code. */
                code?: string;
                /** @description What was sent along. */
                state?: string;
                /** @description The issuer (RFC 9207). */
                iss?: string;
                /** @description Why not. */
                error?: string;
            };
            header?: never;
            path: {
                /** @description Name of the provider */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the console */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_passkey_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ceremony"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_passkey_finish: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credential"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordSignIn"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_totp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TotpSignIn"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    settings_change: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    settings_check: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Checked"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    source_guides: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Guide"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    source_malformed: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the source */
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Malformed"][];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sql: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Statement"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Table"];
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Not ready */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Why not, and what to do */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
