// The stores that tests give the Worker are D1 and R2 as the runtime has them: shown by a Worker of a few lines.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startGate } from "./gate.mjs";
import { migrations, statements } from "./store.mjs";

const SCRIPT = `export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/put") return Response.json(await env.DB.prepare("INSERT INTO words VALUES (?1, ?2) RETURNING id").bind(Number(searchParams.get("id")), searchParams.get("word")).all());
    if (pathname === "/get") return Response.json(await env.DB.prepare("SELECT word FROM words WHERE id = ?1").bind(Number(searchParams.get("id"))).first("word"));
    if (pathname === "/time") {
      for (let n = 0; n < 100; n += 1) await env.DB.prepare("SELECT word FROM words WHERE id = 1").first();
      return new Response("done");
    }
    if (request.method === "PUT") return Response.json({ size: (await env.DATASETS.put("file", request.body)).size });
    return new Response((await env.DATASETS.get("file")).body);
  },
};`;

let storage;
let gate;
const start = () => startGate({ script: SCRIPT, db: true, datasets: true, storage, isolates: 3 });

before(async () => {
  storage = await mkdtemp(join(tmpdir(), "sluicegate-store-"));
  gate = await start();
  await gate.sql("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL)");
});

after(async () => {
  await gate?.stop();
  await rm(storage, { recursive: true, force: true });
});

test("a row that one isolate writes is there for the others and for the test", async () => {
  const put = await (await fetch(`${gate.urls[0]}/put?id=1&word=${encodeURIComponent("门 🙂 ' ;")}`)).json();
  assert.equal(put.success, true);
  assert.deepEqual(put.results, [{ id: 1 }]);
  for (const url of gate.urls) assert.equal(await (await fetch(`${url}/get?id=1`)).json(), "门 🙂 ' ;");
  assert.deepEqual(await gate.sql("SELECT id, word FROM words WHERE word = ?", "门 🙂 ' ;"), [{ id: 1, word: "门 🙂 ' ;" }]);
});

test("a statement of D1 takes a fraction of a millisecond to a few", async (context) => {
  const begun = performance.now();
  await (await gate.fetch("/time")).text();
  const each = (performance.now() - begun) / 100;
  context.diagnostic(`${each.toFixed(2)} ms a statement`);
  assert.ok(each < 50, `${each} ms a statement`);
});

test("what the database refuses is an error", async () => {
  await assert.rejects(gate.sql("SELECT * FROM absent"), /no such table/);
  await assert.rejects(gate.sql("INSERT INTO words VALUES (1, 'again')"), /UNIQUE/);
});

test("an object of a bucket, and rows, outlast the process", async () => {
  const body = "one line\n".repeat(10_000);
  const put = await gate.fetch("/", { method: "PUT", body });
  assert.deepEqual(await put.json(), { size: body.length });
  await gate.stop();
  gate = await start();
  assert.equal(await (await gate.fetch("/")).text(), body);
  assert.equal((await gate.sql("SELECT word FROM words")).length, 1);
});

test("a migration is taken apart at the ends of its statements, and nowhere else", () => {
  const trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN b > 1 THEN 1 ELSE 2 END; DELETE FROM c; END";
  const text = `-- one; two\nCREATE TABLE a (b TEXT DEFAULT ';''', "c;d" TEXT /* ; */);\n${trigger};;\n INSERT INTO a VALUES ('--', '/*') ; `;
  assert.deepEqual(statements(text), [`CREATE TABLE a (b TEXT DEFAULT ';''', "c;d" TEXT  )`, trigger, "INSERT INTO a VALUES ('--', '/*')"]);
});

test("the project's migrations apply, to an empty database and not twice", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluicegate-store-"));
  const other = await startGate({ script: SCRIPT, db: true, storage: folder });
  const list = await migrations();
  assert.ok(list.length >= 3);
  for (const sql of list) await other.sql(sql);
  assert.deepEqual(await other.sql("SELECT count(*) AS keys FROM keys"), [{ keys: 0 }]);
  await assert.rejects(other.sql(list[0]), /already exists/);
  await other.stop();
  await rm(folder, { recursive: true, force: true });
});
