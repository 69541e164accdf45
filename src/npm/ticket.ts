import { checkEndpoint, checkHeaders, exchange } from "./endpoint.js";
import { GateError, invalid } from "./error.js";
import { failure } from "./kinds.js";
import type { SocketOptions } from "./socket-types.js";
import type { TokenOptions, TokenSource } from "./token-types.js";

const ASKED = { noun: "ticket", param: "ticket" };
/** What a subprotocol can have; no ticket is longer. */
const TICKET = /^[\w.~-]{1,4096}$/;

/** The ticket that the options give or lead to; undefined for a caller without a name. */
export async function ticketFor({ ticket, token, ticketEndpoint, fetch }: SocketOptions, socket: URL, signal: AbortSignal): Promise<string | undefined> {
  if (ticket !== undefined && token !== undefined) throw invalid("ticket", "The option is not valid beside token: a ticket takes its place.");
  const post = (endpoint: URL, headers: Headers, credentials?: RequestCredentials) => {
    const init: RequestInit = { method: "POST", headers, body: "{}", redirect: "manual", signal };
    if (credentials !== undefined) init.credentials = credentials;
    return exchange(ASKED, () => (fetch ?? globalThis.fetch)(endpoint.href, init)).then((answer) => (answer as { ticket?: unknown }).ticket);
  };

  if (typeof ticket === "string") {
    if (!TICKET.test(ticket)) throw invalid("ticket", "The ticket has characters that none has.");
    return ticket;
  }
  if (typeof ticket === "function") return checked(await called(ticket));
  if (typeof ticket === "object" && ticket !== null) {
    return checked(await post(checkEndpoint(ticket.endpoint, "ticket.endpoint"), checkHeaders(ticket.headers, "ticket.headers"), ticket.credentials));
  }
  if (ticket !== undefined) throw invalid("ticket", "The option is not valid: expected is a string, a function that gives one, or an endpoint.");
  if (token === undefined) return undefined;

  const beside = new URL("/auth/ticket", socket);
  beside.protocol = socket.protocol.replace("ws", "http");
  const endpoint = ticketEndpoint === undefined ? beside : checkEndpoint(ticketEndpoint, "ticketEndpoint");
  const tokens = await sourceOf(token, fetch);
  const withToken = (text: string) => {
    const headers = checkHeaders(undefined, "token");
    if (!/^[!-~]+$/.test(text)) throw invalid("token", "The token has characters that a header cannot have.");
    headers.set("authorization", `Bearer ${text}`);
    return post(endpoint, headers);
  };
  const first = await tokens.get({ signal });
  try {
    return checked(await withToken(first));
  } catch (error) {
    if (!(error instanceof GateError) || error.vendor?.status !== 401) throw error;
    const next = await tokens.renew(first, { signal });
    if (next === undefined) throw error;
    return checked(await withToken(next));
  }
}

async function called(source: () => string | PromiseLike<string>): Promise<unknown> {
  try {
    return await source();
  } catch (cause) {
    if (cause instanceof GateError) throw cause;
    throw failure("unauthorized", "The ticket function gave no ticket.", { param: "ticket", nextStep: "Look at the cause, and make the function give a string.", cause });
  }
}

function checked(ticket: unknown): string {
  if (typeof ticket === "string" && TICKET.test(ticket)) return ticket;
  throw failure("protocol", "What came in answer is no ticket.", { param: "ticket", nextStep: "Make it give a ticket of the gate." });
}

async function sourceOf(token: string | TokenOptions, fetch: typeof globalThis.fetch | undefined): Promise<TokenSource> {
  if (typeof token === "string") return { get: async () => token, renew: async () => undefined };
  return (await import("./token.js")).createTokens(token, { fetch });
}
