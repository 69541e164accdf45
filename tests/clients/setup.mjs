// Where the clients of these suites talk to: the scripted upstream itself, or something in front of it.
//
//   BASE_URL      an OpenAI-compatible base, such as http://127.0.0.1:8787/v1. Default: a scripted upstream, started here.
//   UPSTREAM_URL  the scripted upstream behind BASE_URL, to read its log from (its root or its /v1). Default: BASE_URL.
//   FETCH_MODULE  path of an ES module that exports `fetch`; the SDKs use it. It finds BASE_URL in the environment.
//   API_KEY       the bearer token to send. Default: a word that the scripted upstream does not check.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { startUpstream } from "../upstream/index.mjs";

const POLL_MS = 20;
const PATIENCE_MS = 3000;

/**
 * `{ baseUrl, deepseekUrl, apiKey, fetch, gated, requests(), request(tag), close() }`: `gated` if something stands before the
 * upstream, `deepseekUrl` the base for clients that speak DeepSeek's dialect (a gateway has one base for all).
 */
export async function connect() {
  const { BASE_URL, UPSTREAM_URL, FETCH_MODULE, API_KEY } = process.env;
  const own = BASE_URL ? undefined : await startUpstream();
  const baseUrl = BASE_URL ?? own.url;
  process.env.BASE_URL = baseUrl;
  const log = new URL("/__requests", UPSTREAM_URL ?? baseUrl);
  const { fetch } = FETCH_MODULE ? await import(pathToFileURL(resolve(FETCH_MODULE)).href) : globalThis;

  const requests = async () => (await (await globalThis.fetch(log)).json()).requests;
  const request = async (tag, holds = () => true) => {
    for (const end = Date.now() + PATIENCE_MS; ; ) {
      const found = (await requests()).filter((record) => JSON.stringify(record.body).includes(tag)).at(-1);
      if ((found && holds(found)) || Date.now() > end) return found;
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
  };
  const deepseekUrl = own && !FETCH_MODULE ? baseUrl.replace(/\/v1$/, "/deepseek") : baseUrl;
  return { baseUrl, deepseekUrl, apiKey: API_KEY ?? "scripted", fetch, gated: Boolean(BASE_URL || FETCH_MODULE), requests, request, close: async () => own?.close() };
}
