/** The least that a Worker does which looks at a stream: read, count, write, chunk by chunk. */
export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    const upstream = await fetch(env.UPSTREAM + pathname, { method: request.method, headers: request.headers, body: request.body });
    if (!upstream.body) return upstream;
    const { readable, writable } = new IdentityTransformStream();
    context.waitUntil(tap(upstream.body.getReader(), writable.getWriter()));
    return new Response(readable, upstream);
  },
};

let chunks = 0;
let bytes = 0;

async function tap(reader, writer) {
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks += 1;
    bytes += part.value.byteLength;
    await writer.write(part.value);
  }
  await writer.close();
}
