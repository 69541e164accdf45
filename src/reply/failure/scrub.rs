//! Foreign text made fit to keep: bounded, without control characters, without anything that looks like a key.

use crate::text::has;

/// The text in one line of at most `max` characters; what looks like a secret becomes `***`. Linear; stops when it has enough.
pub(super) fn scrub(text: &str, max: usize) -> String {
    let mut out = Out { text: String::new(), left: max };
    let mut rest = text;
    let (mut after_bearer, mut names_secret) = (false, false);
    while !rest.is_empty() && out.left > 0 {
        let word_len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at_checked(word_len).unwrap_or((rest, ""));
        if !word.is_empty() {
            let secret = looks_secret(word) || (after_bearer && word.len() >= 8);
            out.push(if secret { "***" } else { word });
            after_bearer = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
            names_secret = SECRET_NAMES.iter().any(|name| ends_with(word, name));
        }
        let gap_len = tail.find(is_word).unwrap_or(tail.len());
        let (gap, tail) = tail.split_at_checked(gap_len).unwrap_or((tail, ""));
        out.push(gap);
        rest = tail;
        // What is assigned goes as a whole, up to where an address, a form or a sentence goes on.
        if core::mem::take(&mut names_secret) && matches!(gap, "=" | "=\"" | "='") {
            let value_len = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '&' | ',' | ';' | '"' | '\'' | ')'))
                .unwrap_or(rest.len());
            out.push(if value_len > 0 { "***" } else { "" });
            rest = rest.get(value_len..).unwrap_or("");
        }
    }
    out.text.truncate(out.text.trim_end().len());
    out.text
}

struct Out {
    text: String,
    left: usize,
}

impl Out {
    fn push(&mut self, text: &str) {
        for c in text.chars().filter(|c| !is_control(*c) || c.is_whitespace()).take(self.left) {
            self.text.push(if is_control(c) { ' ' } else { c });
            self.left -= 1;
        }
    }
}

/// C0, C1, and the marks that turn the direction of what a log shows.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What a key may be made of. `*` too: vendors quote keys half masked.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*' | '+' | '~')
}

/// Ends of the names of parameters that hold a secret (`api_key=`, `access_token=`; not `max_tokens=`).
const SECRET_NAMES: &[&str] = &["key", "token", "secret", "password"];

fn ends_with(word: &str, name: &str) -> bool {
    let start = word.len().checked_sub(name.len());
    start.and_then(|start| word.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(name))
}

const PREFIXES: &[&str] = &[
    "sk-",
    "sk_",
    "rk-",
    "rk_",
    "pk-",
    "pk_",
    "gsk_",
    "xai-",
    "hf_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AKID",
    "LTAI",
    "AIza",
    "npm_",
    "pypi-",
    "SG.",
    "eyJ",
];

fn looks_secret(word: &str) -> bool {
    if has(word, "**") {
        return true;
    }
    if word.len() >= 8 && PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
        return true;
    }
    // A long run of letters and digits mixed is no word, nor is a very long one of letters alone; a model's name is cut up by dashes and dots, a parameter's has no digits.
    let mut runs = word.split(['_', '-', '.', '*', '+', '~']);
    let long_run = runs.any(|run| {
        (run.len() >= 20 && is_mixed(run)) || (run.len() >= 32 && run.bytes().all(|byte| byte.is_ascii_alphabetic()))
    });
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    long_run || (word.len() >= 32 && digits >= 8 && is_mixed(word))
}

fn is_mixed(run: &str) -> bool {
    run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn keys_are_masked_and_names_are_not() {
        for (text, expected) in [
            ("Incorrect API key provided: sk-abcd1234efgh.", "Incorrect API key provided: ***"),
            ("key sk-ab****wxyz is wrong", "key *** is wrong"),
            ("Your api key: ****5678 is invalid", "Your api key: *** is invalid"),
            ("Authorization: Bearer abcdefgh12", "Authorization: Bearer ***"),
            ("Bearer token is missing", "Bearer token is missing"),
            ("密钥sk-0123456789abcdef无效", "密钥***无效"),
            ("0123456789abcdef0123456789abcdef", "***"),
            ("GET /v1?key=abc/d+e=&model=m failed", "GET /v1?key=***&model=m failed"),
            ("api_key=hunter, token=\"a b\"", "api_key=***, token=\"*** b\""),
            ("max_tokens=4096 is too large; key = value", "max_tokens=4096 is too large; key = value"),
            ("token qwertyuiopasdfghjklzxcvbnmqwertyu wrong", "token *** wrong"),
            ("model deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "model deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"),
            (
                "max_completion_tokens and exceed_context_size_error",
                "max_completion_tokens and exceed_context_size_error",
            ),
            ("a\u{0}b\nc\u{202E}d\r\n", "ab cd"),
        ] {
            assert_eq!(scrub(text, 512), expected, "{text}");
        }
    }

    #[test]
    fn the_bound_counts_characters() {
        assert_eq!(scrub(&"好".repeat(1000), 512).chars().count(), 512);
        assert_eq!(scrub("abc", 2), "ab");
    }
}
