//! The routes. [`table`] is the one list: a handler gets into the router through [`Routes::add`] alone, which takes what it needs of who asks.

mod accounts;
mod approvals;
mod ask;
mod export;
mod ledger;
mod me;
mod oidc;
mod outside;
mod session;
mod settings;
mod state;
mod table;
mod views;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use crate::app::App;
use crate::gate::guard::{Access, guard};
use crate::model::problem::Problem;

pub use table::all;

/// Name of the capability in the OpenAPI document's operations.
pub const NEEDS: &str = "x-weir-needs";

/// Handlers with what they need.
#[derive(Default)]
pub struct Routes(Vec<(Access, UtoipaMethodRouter<App>)>);

impl Routes {
    /// Adds handlers of one path.
    #[must_use]
    pub fn add(mut self, access: Access, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Routes {
        declare(access, &mut paths);
        self.0.push((access, (schemas, paths, methods)));
        self
    }

    /// All of these too.
    #[must_use]
    pub fn and(mut self, other: Routes) -> Routes {
        self.0.extend(other.0);
        self
    }

    /// The router, each handler behind its guard.
    pub fn router(self, app: &App) -> Router<App> {
        let router = self.0.into_iter().fold(OpenApiRouter::new(), |router, (access, methods)| {
            let guarded = methods.map(|m| m.route_layer(from_fn_with_state((app.clone(), access), guard)));
            router.routes(guarded)
        });
        router.into()
    }

    /// The document of them.
    pub fn document(self, version: &str) -> OpenApi {
        let info = InfoBuilder::new().title("Weir desk").version(version).description(Some(ABOUT)).build();
        let document = OpenApiBuilder::new().info(info).build();
        let router = self.0.into_iter().fold(OpenApiRouter::with_openapi(document), |router, (_, methods)| router.routes(methods));
        let mut document = router.into_openapi();
        let components = document.components.get_or_insert_default();
        components.schemas.insert(Problem::name().into_owned(), Problem::schema());
        let token =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token, made under /api/v1/me/tokens.")).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-weir"))));
        document
    }
}

const ABOUT: &str = "Every operation names in `x-weir-needs` the one capability it needs (`none`: nothing; `sign-in`: nothing, but it may not be tried often). \
    Programs send `Authorization: Bearer TOKEN`. A browser sends its cookie and, with every POST and DELETE, the text `csrf` of its session as `X-Weir-CSRF`; answers that open, renew or show the session carry it in a header of that name. \
    Errors are problem documents (RFC 9457) that say what to do.";

/// What the declaration of a handler gets beside its own words.
fn declare(access: Access, paths: &mut Paths) {
    for item in paths.paths.values_mut() {
        for operation in operations_mut(item) {
            let mut needs = utoipa::openapi::extensions::Extensions::default();
            needs.insert(NEEDS.to_owned(), access.name().into());
            operation.extensions = Some(needs);
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
            let problem =
                ResponseBuilder::new().description("Why not, and what to do").content("application/problem+json", content).build();
            operation.responses.responses.insert("default".to_owned(), problem.into());
            let anybody = matches!(access, Access::Open | Access::Probe | Access::Here | Access::SignIn | Access::Link);
            let scheme = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
            operation.security = (!anybody).then(|| vec![scheme("token"), scheme("session")]);
        }
    }
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_operation_says_what_it_needs_and_has_a_name_of_its_own() {
        let document: Value = serde_json::from_str(&crate::openapi()).unwrap();
        let mut names = BTreeSet::new();
        let mut count = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                count += 1;
                assert!(operation[NEEDS].is_string(), "{method} {path}");
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
                assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}: its name is another's too");
                assert!(operation["summary"].is_string(), "{method} {path}");
                let open = matches!(operation[NEEDS].as_str(), Some("none" | "sign-in"));
                assert_eq!(operation["security"].is_null(), open, "{method} {path}");
            }
        }
        assert!(count >= 60, "{count}");
    }

    #[test]
    fn the_document_in_docs_is_fresh() {
        let path = weir_testkit::package().join("../../docs/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == crate::openapi(), "docs/openapi.json is stale: run `cargo xtask docs`");
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let text = crate::openapi();
        let document: Value = serde_json::from_str(&text).unwrap();
        for reference in text.split("\"$ref\": \"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
