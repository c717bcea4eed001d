//! A server that answers, and whose answers the page may not read.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::super::case::{Case, Ending};
use crate::page::PageError;

/// It ends after three attempts of the first request at each of the store's hosts, with the CORS rule to set.
pub(super) async fn no_rule(case: Case<'_>) -> Result<Ending> {
    let fault = json!({ "route": "store:*", "effect": { "kind": "no-cors" } });
    let ended = case.upload(json!([fault]), |options| options["concurrency"] = json!(1)).await?;
    let error = ended.report.failed("network")?;
    let hint = hint(error)?;
    let rule = hint.find("[{").zip(hint.find("}]")).and_then(|(start, end)| hint.get(start..end + 2));
    let rule = rule.with_context(|| format!("no rule in the hint: {hint}"))?;
    let rule: Value = serde_json::from_str(rule).with_context(|| format!("the rule in the hint is no JSON: {rule}"))?;
    ensure!(rule[0]["AllowedOrigins"] == json!([case.stage.sandbox.at.app]), "for another page: {rule}");
    ensure!(rule[0]["ExposeHeaders"].as_array().is_some_and(|names| names.len() == 8), "not the whole rule: {rule}");
    let hosts = hosts(case, &case.options()?).len();
    let asked = ended.log.requests.iter().filter(|one| one.route == "store:preflight").count();
    ensure!(asked == 3 * hosts, "{asked} preflights of {hosts} hosts: {}", crate::sandbox::summary(&ended.log));
    ended.failed("network", 0)
}

/// It ends at once, with the directive to add for the host that was asked last.
pub(super) async fn forbidden(case: Case<'_>) -> Result<Ending> {
    let (page, file) = case.page().await?;
    let policy = "const meta = document.createElement('meta');
        meta.httpEquiv = 'Content-Security-Policy';
        meta.content = \"connect-src 'self'\";
        document.head.append(meta);";
    page.script(policy, vec![]).await?;
    let mut options = case.options()?;
    options["concurrency"] = json!(1);
    let report = page.upload(json!({ "options": &options })).await?;
    let error = report.failed("network")?;
    ensure!(error.retryable == Some(false), "a directive is missing, a retry doesn't help: {error:?}");
    let hint = hint(error)?;
    let named = hosts(case, &options).iter().any(|host| hint.contains(host.as_str()));
    ensure!(hint.contains("connect-src") && named, "no directive: {hint}");
    let ended = case.ended(report, file).await?;
    ensure!(ended.log.of("store:*").is_empty(), "something went out: {}", crate::sandbox::summary(&ended.log));
    ended.failed("network", 0)
}

/// The addresses of the store.
fn hosts(case: Case<'_>, options: &Value) -> Vec<String> {
    match options["provider"]["endpoints"].as_array() {
        Some(endpoints) => endpoints.iter().filter_map(Value::as_str).map(String::from).collect(),
        None => vec![case.stage.sandbox.at.store.clone()],
    }
}

fn hint(error: &PageError) -> Result<&str> {
    error.hint.as_deref().context("no hint")
}
