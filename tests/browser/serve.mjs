// A static server on loopback that passes /v1 on to the scripted upstream: one origin, as with a Worker.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, request as send } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".css": "text/css" };

/** Serves `folder`, with further `headers`; a path without an extension is its `page`. Gives `{ url, asked, close() }`: `asked` are the paths. */
export async function serve(folder, upstreamUrl, { page = "index.html", headers = {} } = {}) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    asked.push(path);
    if (path.startsWith("/v1/") && upstreamUrl) return proxy(request, response, upstreamUrl);
    const name = extname(path) ? normalize(path) : page;
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (!info?.isFile()) return response.writeHead(404).end();
    response.writeHead(200, { ...headers, "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-length": info.size });
    if (request.method === "HEAD") return response.end();
    createReadStream(join(folder, name)).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, asked, close };
}

/** An upstream on an origin of its own that lets pages in, as vendors do. Gives `{ url, close() }`. */
export async function crossOrigin(upstreamUrl) {
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "*");
    if (request.method !== "OPTIONS") return proxy(request, response, upstreamUrl);
    // A star does not stand for the key's header.
    response.writeHead(204, { "access-control-allow-headers": "*, authorization", "access-control-allow-methods": "*" }).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close };
}

/** Passes bytes both ways, and the end of either side to the other. */
export function proxy(request, response, upstreamUrl) {
  const onward = send(new URL(request.url, upstreamUrl), { method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}
