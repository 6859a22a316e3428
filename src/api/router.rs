//! All routes of the machines' and the people's listener, and what describes them.

use axum::{
    Extension, Router, body::Bytes, extract::DefaultBodyLimit, http::header::CONTENT_TYPE,
    middleware::from_fn, routing::get,
};
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    authorizations, bureaus, clients, disputes, explain, inquiries, layers, log, memberships,
    notices, operators, policies, register, subjects, submissions, who::Listener,
};
use crate::gateway::Gateway;

/// The largest body, in bytes, where a route does not say otherwise.
pub(super) const LARGEST_BODY: usize = 1 << 20;

/// The routes of a listener.
pub fn router(gateway: Gateway, listener: Listener) -> Router {
    let (router, openapi) = routes().split_for_parts();
    let document = Bytes::from(document(openapi));
    let described = get(async move || ([(CONTENT_TYPE, "application/json")], document.clone()));
    router
        .route("/v1/openapi.json", described)
        .fallback(layers::no_such_path)
        .method_not_allowed_fallback(layers::no_such_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(Extension(listener))
        .layer(from_fn(layers::around))
        .with_state(gateway)
}

/// The description of the API: OpenAPI 3.1, as served at `/v1/openapi.json`.
#[must_use]
pub fn openapi() -> String {
    document(routes().into_openapi())
}

/// What the description says beside the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "creditgate",
        description = "A credit-reporting integration gateway. `docs/API.md` is the guide.",
    ),
    tags(
        (name = "inquiries", description = "Reports of bureaus, and what became of asking"),
        (name = "register", description = "All inquiries of an institution"),
        (name = "authorizations", description = "What subjects allow, and what it permits"),
        (name = "subjects", description = "Erasure"),
        (name = "submissions", description = "Records to bureaus, their files, and the answers"),
        (name = "bureaus", description = "The lines to bureaus"),
        (name = "operators", description = "People, machines and their roles"),
        (name = "log", description = "The audit log: receipts, checkpoints, tiles"),
    ),
)]
struct Api;

fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::with_openapi(Api::openapi())
        .merge(authorizations::routes())
        .merge(bureaus::routes())
        .merge(clients::routes())
        .merge(disputes::routes())
        .merge(explain::routes())
        .merge(inquiries::routes())
        .merge(memberships::routes())
        .merge(notices::routes())
        .merge(operators::routes())
        .merge(policies::routes())
        .merge(register::routes())
        .merge(submissions::routes())
        .merge(subjects::routes())
        .routes(routes!(log::receipt))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::tile))
        .routes(routes!(log::vkey))
}

fn document(mut openapi: OpenApi) -> String {
    // OpenAPI has no word for a parameter of several segments.
    let paths = std::mem::take(&mut openapi.paths.paths);
    openapi.paths.paths = paths
        .into_iter()
        .map(|(path, item)| (path.replace("{*", "{"), item))
        .collect();
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme(
        "people",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    let mutual = SecurityScheme::MutualTls {
        description: None,
        extensions: None,
        deprecated: None,
    };
    components.add_security_scheme("machines", mutual);
    openapi.security = Some(
        ["people", "machines"]
            .map(|name| SecurityRequirement::new(name, [""; 0]))
            .to_vec(),
    );
    // Maps and texts only: writing them does not fail.
    openapi.to_pretty_json().unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::authorizations::{Category, Purpose};

    fn read(file: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(root.join(file)).unwrap_or_default()
    }

    #[test]
    fn the_description_in_docs_is_that_of_the_routes() {
        let now = openapi();
        if std::env::var_os("UPDATE").is_some() {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
            std::fs::write(file, &now).unwrap();
        }
        assert!(
            read("docs/openapi.json") == now,
            "docs/openapi.json is old: UPDATE=1 cargo test -p creditgate the_description"
        );
    }

    #[test]
    fn the_guide_names_every_path_purpose_and_category() {
        let guide = read("docs/API.md");
        let openapi: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
        let paths = openapi["paths"].as_object().unwrap();
        let names = Purpose::ALL.iter().map(|it| it.name());
        let names = names.chain(Category::ALL.iter().map(|it| it.name()));
        for name in names.chain(paths.keys().map(String::as_str)) {
            assert!(
                guide.contains(&format!("`{name}`")),
                "docs/API.md lacks {name}"
            );
        }
    }

    #[test]
    fn no_personal_datum_has_a_place_in_a_url() {
        let openapi: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
        assert_eq!(openapi["openapi"], "3.1.0");
        for (path, item) in openapi["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let name = parameter["name"].as_str().unwrap();
                    let known = [
                        "Idempotency-Key",
                        "Prefer",
                        "bureau",
                        "cursor",
                        "entry",
                        "events",
                        "from",
                        "id",
                        "lang",
                        "limit",
                        "path",
                        "policy",
                        "record",
                        "seq",
                        "since",
                        "state",
                        "until",
                    ];
                    assert!(known.contains(&name), "{method} {path}: {name}");
                }
            }
        }
    }
}
