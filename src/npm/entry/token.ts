import { createTokens as create, exchangeToken as exchange } from "../token.js";
import type { TokenAnswer, TokenEndpoint, TokenExchange, TokenOptions, TokenSource } from "../token-types.js";

/**
 * A source of access tokens, to be shared by a gate, a socket and the app's own requests: it gets one when it is first needed, a new one before
 * that ends or when it was refused, and asks once for all that need one together.
 *
 * @throws GateError `invalid_request` when an option is wrong, and in a page when there is a secret among them.
 */
export function createTokens(options: TokenOptions): TokenSource {
  return create(options);
}

/**
 * One exchange, kept nowhere: for the endpoint of an app that hands out tokens to its pages, which answers with what this gives.
 *
 * @throws GateError as `createTokens` and its `get`.
 */
export function exchangeToken(options: TokenEndpoint | TokenExchange, call?: { signal?: AbortSignal | undefined }): Promise<TokenAnswer> {
  return exchange(options, call);
}

export { GateError } from "../error.js";
export type * from "../token-types.js";
