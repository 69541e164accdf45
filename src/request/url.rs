//! The address of a built request.

use super::build::Built;

/// The address that `built` goes to, behind an API's base such as `https://api.deepseek.com/v1`.
///
/// DeepSeek serves what it calls beta at another base: `/beta` stands there in the place of `/v1`, whatever comes before it. Anthropic's
/// protocol it serves at `/anthropic/v1`.
///
/// ```
/// use sluicegate::limits::Limits;
/// use sluicegate::request::{Dialect, Endpoint, Request, Target, url};
///
/// let body = br#"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"He","prefix":true}]}"#;
/// let request = Request::parse(Endpoint::ChatCompletions, body, &Limits::default())?;
/// let target = Target { dialect: Dialect::DeepSeek, model: "deepseek-flash", replay: None, add_usage: false };
/// assert_eq!(url("https://api.deepseek.com/v1", &request.build(&target)?), "https://api.deepseek.com/beta/chat/completions");
/// # Ok::<(), sluicegate::Error>(())
/// ```
pub fn url(base: &str, built: &Built) -> String {
    let base = base.trim_end_matches('/');
    if built.path.starts_with("/anthropic/") {
        let root = ["/v1", "/beta", "/anthropic"].iter().fold(base, |root, end| root.strip_suffix(end).unwrap_or(root));
        return [root, built.path].concat();
    }
    if !built.beta || base.ends_with("/beta") {
        return [base, built.path].concat();
    }
    [base.strip_suffix("/v1").unwrap_or(base), "/beta", built.path].concat()
}
