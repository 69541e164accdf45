// A static server on loopback that passes /v1 on to the scripted upstream: one origin, as with a Worker.

import { createReadStream } from "node:fs";
import { createServer, request as send } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".css": "text/css" };

/** Serves `folder`; a path without an extension is its `page`. Gives `{ url, close() }`. */
export async function serve(folder, upstreamUrl, { page = "index.html" } = {}) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path.startsWith("/v1/")) return proxy(request, response, upstreamUrl);
    const name = extname(path) ? normalize(path) : page;
    const file = createReadStream(join(folder, name));
    file.on("open", () => response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }));
    file.on("error", () => response.writeHead(404).end());
    file.pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, close };
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
