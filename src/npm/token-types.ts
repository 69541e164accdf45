/** An access token and how long it lives, in seconds from now; without that, until it is refused. */
export type AccessToken =
  | string
  | { accessToken: string; expiresIn?: number }
  /** The answer of a token endpoint, as it came. */
  | { access_token: string; expires_in?: number | string; [field: string]: unknown };

/** What the exchange of tokens has whichever way it goes. */
export interface TokenTimes {
  /** How long one exchange may take. ### Default: 10,000 */
  timeoutMs?: number;
}

/** A token endpoint of the app itself: the page sends what its own session needs, and no secret of the gate is in it. */
export interface TokenEndpoint extends TokenTimes {
  /** Answers a POST with `{ "access_token", "expires_in" }`. */
  endpoint: string | URL;
  headers?: Record<string, string>;
  /** As in `fetch`: whether cookies go along. ### Default: same-origin */
  credentials?: RequestCredentials;
  /** Replaces `globalThis.fetch`, or the gate's. */
  fetch?: typeof globalThis.fetch;
}

/** The gate's own token endpoint, for servers. With a secret each exchange is signed, and the secret itself is never sent. */
export interface TokenExchange extends TokenEndpoint {
  /** The key's id (`key_…`); without a secret the key itself, which then goes along in the `Authorization` of the exchange. */
  apiKey: string;
  apiSecret?: string;
  /** The gate's `issuer`. ### Default: the endpoint's origin */
  audience?: string;
  /**
   * Lets this run in a page, whose every visitor can then read the key and the secret.
   *
   * ### Default: false
   */
  dangerouslyAllowBrowser?: boolean;
}

/** Gets a token in a way of the app's own. It is asked once for all calls that need one together. */
export type TokenFunction = (context: { signal: AbortSignal }) => AccessToken | PromiseLike<AccessToken>;

/** Where access tokens come from; made by `createTokens` of `sluicegate/token`, or by the app. */
export interface TokenSource {
  /** A token that is good now. Asks for one only where there is none, and soon before the end of the one that there is. */
  get(options?: { signal?: AbortSignal | undefined }): Promise<string>;
  /** A token other than the one that was refused; undefined if there is none. */
  renew(refused: string, options?: { signal?: AbortSignal | undefined }): Promise<string | undefined>;
}

/** What a token endpoint answers with. */
export interface TokenAnswer {
  access_token: string;
  token_type: "Bearer";
  /** In seconds. */
  expires_in?: number;
}

/** What a gate, or a socket, takes as `token`. */
export type TokenOptions = TokenEndpoint | TokenExchange | TokenFunction | TokenSource;
