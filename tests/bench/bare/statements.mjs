// Before a database: hands on what it is asked, and counts the statements.
const counts = { statements: 0, writes: 0 };

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/counts") return Response.json(counts);
    const text = await request.text();
    for (const { sql } of [JSON.parse(text)].flat()) {
      counts.statements += 1;
      if (!/^\s*SELECT/i.test(sql)) counts.writes += 1;
    }
    return env.TO.fetch(new Request(request, { body: text }));
  },
};
