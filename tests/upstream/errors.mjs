// Each vendor's own error bodies, for HTTP statuses, for refusals of a request, and inside a stream.

const object = (message, type, code, param = null) => ({ error: { message, type, param, code } });
const flat = (code, message) => ({ code, message, data: null });

const OPENAI = {
  400: object("We could not parse the JSON body of your request.", "invalid_request_error", null),
  401: object("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
  402: object("Payment required.", "billing_error", "payment_required"),
  403: object("Project does not have access to this model.", "invalid_request_error", "model_not_found"),
  404: object("The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found", "model"),
  408: object("Request timed out.", "timeout", "request_timeout"),
  409: object("The resource was modified by another request.", "conflict_error", null),
  413: object("Request body is too large.", "invalid_request_error", "request_too_large"),
  422: object("Unprocessable entity.", "invalid_request_error", null),
  429: object("Rate limit reached for requests. Please try again later.", "requests", "rate_limit_exceeded"),
  500: object("The server had an error while processing your request. Sorry about that!", "server_error", null),
  502: object("Bad gateway.", "server_error", "bad_gateway"),
  503: object("That model is currently overloaded with other requests.", "server_error", "server_is_overloaded"),
  504: object("Gateway timeout.", "server_error", "gateway_timeout"),
};

const DEEPSEEK = {
  400: object("Failed to parse the request body as JSON: expected value at line 1 column 1", "invalid_request_error", "invalid_request_error"),
  401: object("Authentication Fails (no such user)", "authentication_error", "invalid_request_error"),
  402: object("Insufficient Balance", "unknown_error", "invalid_request_error"),
  403: object("Forbidden", "invalid_request_error", "invalid_request_error"),
  404: object("Not Found", "invalid_request_error", "invalid_request_error"),
  408: object("Request Timeout", "invalid_request_error", "invalid_request_error"),
  409: object("Conflict", "invalid_request_error", "invalid_request_error"),
  413: object("Payload Too Large", "invalid_request_error", "invalid_request_error"),
  422: object("Failed to deserialize the JSON body into the target type", "invalid_request_error", "invalid_request_error"),
  429: object("Rate limit reached: too many concurrent requests for this account.", "rate_limit_error", "rate_limit_reached_error"),
  500: object("Internal Server Error", "internal_error", "internal_error"),
  503: object(
    "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.",
    "service_unavailable_error",
    "service_unavailable_error",
  ),
  504: object("Gateway Timeout", "internal_error", "internal_error"),
};

const SILICONFLOW = {
  400: flat(20012, "Model does not exist. Please check it carefully."),
  401: "Invalid token",
  402: flat(30001, "Sorry, your account balance is insufficient"),
  403: flat(30001, "Sorry, your account balance is insufficient"),
  404: "404 page not found",
  408: flat(50504, "Request timed out."),
  409: flat(20015, "The request conflicts with another one."),
  413: flat(20015, "The request body is too large."),
  422: flat(20015, "The parameter is invalid. Please check again."),
  429: { message: "Request was rejected due to rate limiting. Details: TPM limit reached.", data: null },
  500: flat(50000, "An unknown error occurred in the upstream server. Please contact support."),
  503: flat(50505, "Model service overloaded. Please try again later."),
  504: flat(50504, "The generation took too long. Please use stream:true."),
};

const BODIES = { openai: OPENAI, deepseek: DEEPSEEK, siliconflow: SILICONFLOW };
const IN_STREAM = {
  openai: object("The server had an error while processing your request. Sorry about that!", "server_error", null),
  deepseek: DEEPSEEK[503],
  siliconflow: flat(50508, "System is too busy now. Please try again later."),
};
const OVERFLOW = {
  openai: object(
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 140012 tokens. Please reduce the length of the messages.",
    "invalid_request_error",
    "context_length_exceeded",
    "messages",
  ),
  deepseek: object(
    "This model's maximum context length is 1048576 tokens. However, you requested 1131312 tokens (1131312 in the messages, 0 in the completion). Please reduce the length of the messages or completion.",
    "invalid_request_error",
    "invalid_request_error",
  ),
  siliconflow: flat(20015, "length of prompt_tokens (140012) must be less than max_seq_len (131072)."),
};

/** A gateway's own page, as seen in front of vendors. */
export function htmlPage(status) {
  const title = status === 200 ? "Welcome" : `${status}: A timeout occurred`;
  return `<!DOCTYPE html>\n<html><head><title>${title}</title></head>\n<body><h1>${title}</h1><p>The origin web server did not answer in time.</p></body></html>\n`;
}

/** A status in the dialect's words: `{ type, text }`. What vendors leave empty or to their gateways is so here too. */
export function statusBody(dialect, status) {
  if (status === 524) return { type: "text/html; charset=UTF-8", text: htmlPage(524) };
  if (status === 502 && dialect !== "openai") return { type: "text/html", text: "" };
  const body = BODIES[dialect][status] ?? (dialect === "siliconflow" ? flat(status * 100, "Unknown error.") : object("Unknown error.", "unknown_error", null));
  return { type: "application/json", text: JSON.stringify(body) };
}

/** What the dialect sends inside a stream that fails. */
export function inStreamError(dialect) {
  return JSON.stringify(IN_STREAM[dialect]);
}

/** A prompt too long, in the dialect's words. */
export function overflowBody(dialect) {
  return JSON.stringify(OVERFLOW[dialect]);
}

/** A refusal of a request's field, in the dialect's form. */
export function refusal(dialect, message, { param = null, code } = {}) {
  if (dialect === "siliconflow") return JSON.stringify(flat(20015, message));
  return JSON.stringify(object(message, "invalid_request_error", code ?? (dialect === "deepseek" ? "invalid_request_error" : null), param));
}
