//! What the vendors' codes, words and statuses mean, as data.

use crate::error::ErrorKind::{self, *};
use crate::text::has;

/// The vendors' `code` (or `type`), compared without case.
const CODES: &[(&str, ErrorKind)] = &[
    // SiliconFlow
    ("20012", ModelNotFound),
    ("30003", ModelNotFound),
    ("50505", Overloaded),
    ("50508", Overloaded),
    ("50602", RateLimited),
    ("50603", Overloaded),
    // OpenAI and those who copy it
    ("insufficient_quota", QuotaExceeded),
    ("credit_balance_exhausted", QuotaExceeded),
    ("billing_hard_limit_reached", QuotaExceeded),
    ("billing_not_active", QuotaExceeded),
    ("insufficient_balance", QuotaExceeded),
    ("exceeded_current_quota_error", QuotaExceeded),
    ("billing_error", QuotaExceeded),
    ("arrearage", QuotaExceeded),
    ("rate_limit_exceeded", RateLimited),
    ("rate_limit_reached_error", RateLimited),
    ("slow_down", RateLimited),
    ("server_is_overloaded", Overloaded),
    ("overloaded_error", Overloaded),
    ("engine_overloaded_error", Overloaded),
    ("service_unavailable_error", Overloaded),
    ("service_unavailable", Overloaded),
    ("unavailable_error", Overloaded),
    ("insufficient_system_resource", Overloaded),
    ("context_length_exceeded", ContextOverflow),
    ("exceed_context_size_error", ContextOverflow),
    // One string is too long, not the conversation: a shorter history would not help.
    ("string_above_max_length", InvalidRequest),
    ("model_not_found", ModelNotFound),
    ("model_not_exist", ModelNotFound),
    ("deploymentnotfound", ModelNotFound),
    ("invalid_api_key", Authentication),
    ("incorrect_api_key", Authentication),
    ("invalid_authentication_error", Authentication),
    ("account_deactivated", Authentication),
    ("unsupported_country_region_territory", Forbidden),
];

/// Types so general that the status and the words say more.
const TYPES: &[(&str, ErrorKind)] = &[
    ("invalid_request_error", InvalidRequest),
    ("badrequesterror", InvalidRequest),
    ("invalid_argument", InvalidRequest),
    ("invalidparameter", InvalidRequest),
    ("invalid_parameter_error", InvalidRequest),
    ("authentication_error", Authentication),
    ("permission_error", Forbidden),
    ("permission_denied", Forbidden),
    ("not_found_error", NotFound),
    ("not_supported_error", NotSupported),
    ("rate_limit_error", RateLimited),
    ("resource_exhausted", RateLimited),
    ("request_too_large", PayloadTooLarge),
    ("timeout_error", TimeoutFirstToken),
];

/// One rule on the vendor's words, in lower case: all of `all` and one of `any` (if there are any), for these statuses.
struct Words {
    kind: ErrorKind,
    statuses: fn(u16) -> bool,
    all: &'static [&'static str],
    any: &'static [&'static str],
}

/// 0 stands for "no status": an error inside a 200 stream.
fn fault_of_request(status: u16) -> bool {
    matches!(status, 0 | 400 | 404 | 413 | 422 | 500)
}

fn any_status(_: u16) -> bool {
    true
}

fn refused(status: u16) -> bool {
    matches!(status, 0 | 401 | 403)
}

fn crowded(status: u16) -> bool {
    matches!(status, 0 | 429) || status >= 500
}

/// In this order: the first that fits wins.
const WORDS: &[Words] = &[
    Words {
        kind: ReasoningReplay,
        statuses: fault_of_request,
        all: &["reasoning_content"],
        any: &[
            "passed back",
            "pass back",
            "remove",
            "intermediate result",
            "in the input",
            "input messages",
            "must not",
            "not allowed",
            "not permitted",
            "not supported",
            "unsupported",
            "unknown parameter",
            "unrecognized",
            "extra inputs",
            "cannot be",
            "can not be",
            "should not",
            "missing",
            "is required",
            "不能",
            "不支持",
        ],
    },
    Words {
        kind: ContextOverflow,
        statuses: fault_of_request,
        all: &[],
        any: &[
            "maximum context length",
            "max context length",
            "context length exceeded",
            "context_length_exceeded",
            "exceeds the available context size",
            "exceeds the context",
            "exceed context",
            "exceeded model token limit",
            "context window",
            "context limit",
            "prompt is too long",
            "input is too long",
            "prompt too long",
            "max_seq_len",
            "max_total_tokens",
            "reduce the length of the",
            "number of tokens allowed",
            "range of input length",
            "maximum input length",
            "tokens + `max_new_tokens`",
            "too large for model",
            "longer than the maximum model length",
            "longer than the model's context length",
            "greater than the context length",
            "max_model_len",
            "上下文长度",
            "输入长度",
            "超过最大长度",
            "prompt 超长",
        ],
    },
    Words {
        kind: QuotaExceeded,
        statuses: any_status,
        all: &[],
        any: &[
            "insufficient balance",
            "balance is insufficient",
            "balance not enough",
            "balance is not enough",
            "insufficient_quota",
            "insufficient quota",
            "exceeded your current quota",
            "credit balance",
            "arrears",
            "余额不足",
            "余额",
            "欠费",
            "out of call volume quota",
        ],
    },
    // SiliconFlow asks for it before it serves a model; elsewhere the words may be about the request ("use your real name").
    Words {
        kind: QuotaExceeded,
        statuses: |status| matches!(status, 0 | 402 | 403 | 429),
        all: &[],
        any: &["real-name", "real name", "实名"],
    },
    Words {
        kind: Overloaded,
        statuses: crowded,
        all: &[],
        any: &[
            "overloaded",
            "too busy",
            "system is busy",
            "server is busy",
            "server busy",
            "at capacity",
            "loading model",
            "繁忙",
        ],
    },
    Words {
        kind: ConcurrencyLimited,
        statuses: crowded,
        all: &[],
        any: &["concurren", "simultaneous", "parallel requests", "并发"],
    },
    Words {
        kind: RateLimited,
        statuses: |status| matches!(status, 0 | 403 | 429),
        all: &[],
        any: &["limit reached", "rate limit", "rate-limit", "ratelimit", "too many requests", "请求过于频繁", "限流"],
    },
    Words {
        kind: ModelNotFound,
        statuses: |status| matches!(status, 0 | 400 | 403 | 404 | 422),
        all: &["model"],
        any: &[
            "does not exist",
            "not exist",
            "not found",
            "unknown model",
            "no such model",
            "not a valid model",
            "invalid model",
            "have access to",
        ],
    },
    Words {
        kind: ModelNotFound, statuses: fault_of_request, all: &["模型"], any: &["不存在", "未找到", "找不到"]
    },
    // OpenRouter; "No endpoints found that …" is about the request's parameters.
    Words { kind: ModelNotFound, statuses: fault_of_request, all: &["no endpoints found for "], any: &[] },
    // xAI and Gemini say 400 for it.
    Words {
        kind: Authentication,
        statuses: |status| status == 400,
        all: &[],
        any: &["incorrect api key", "api key not valid"],
    },
    Words {
        kind: Authentication,
        statuses: refused,
        all: &[],
        any: &[
            "invalid token",
            "invalid api key",
            "incorrect api key",
            "invalid api-key",
            "authentication fails",
            "unauthorized",
        ],
    },
];

/// The kind of a specific code.
pub(super) fn of_code(code: &str) -> Option<ErrorKind> {
    look_up(CODES, code)
}

/// The kind of one of SiliconFlow's numbers that is not in the table: 20xxx are faults of the request, 30xxx the account's.
pub(super) fn of_number(code: u32) -> Option<ErrorKind> {
    match code {
        20_001..=20_999 => Some(InvalidRequest),
        30_000..=30_999 => Some(QuotaExceeded),
        _ => None,
    }
}

/// The kind of a general type.
pub(super) fn of_type(kind: &str) -> Option<ErrorKind> {
    look_up(TYPES, kind)
}

fn look_up(table: &[(&str, ErrorKind)], code: &str) -> Option<ErrorKind> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, kind)| *kind)
}

/// The kind that the vendor's words name.
pub(super) fn of_words(status: u16, message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let has = |word: &&str| has(&message, word);
    WORDS
        .iter()
        .find(|rule| {
            (rule.statuses)(status) && rule.all.iter().all(has) && (rule.any.is_empty() || rule.any.iter().any(has))
        })
        .map(|rule| rule.kind)
}

/// The kind of a status, where nothing says more. `None` for a 2xx, which is no failure by itself.
pub(super) fn of_status(status: u16) -> Option<ErrorKind> {
    Some(match status {
        200..=299 => return None,
        // Redirects are never followed: a key would travel with them.
        0..=399 => Protocol,
        401 | 407 => Authentication,
        402 => QuotaExceeded,
        403 | 451 => Forbidden,
        404 | 410 => NotFound,
        405 => MethodNotAllowed,
        408 | 504 | 524 | 598 => TimeoutFirstToken,
        409 | 425 => UpstreamError,
        413 => PayloadTooLarge,
        415 => UnsupportedMediaType,
        429 => RateLimited,
        431 => HeadersTooLarge,
        400..=499 => InvalidRequest,
        501 => NotSupported,
        503 | 529 => Overloaded,
        522 => TimeoutConnect,
        _ => UpstreamError,
    })
}
