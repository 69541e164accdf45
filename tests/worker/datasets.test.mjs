// Datasets: uploads that are streamed, checked, and kept in rows of D1 or in R2; whose they are; what stays of those that fail.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { startGate } from "./gate.mjs";
import { migrations } from "./store.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const KEYS = { one: "key-of-one-0123456789", two: "key-of-two-0123456789", root: "key-of-root-0123456789", reader: "key-of-reader-0123456789" };
const ROLES = { one: "developer", two: "developer", root: "administrator", reader: "auditor" };
const access = { keys: Object.entries(KEYS).map(([id, key]) => ({ id, name: id, owner: id, role: ROLES[id], sha256: sha256(key) })) };
const upstreams = [{ name: "a", dialect: "openai", base_url: "http://127.0.0.1:9/v1", models: ["m"] }];
const bounds = { body: 12 << 20, lines: 200_000, per_key: 5, idle_ms: 600, total_ms: 20_000 };
const config = { development: true, upstreams, access, datasets: bounds };

const line = (at) => `${JSON.stringify({ prompt: `第 ${at} 个问题 🙂`, completion: `答案 ${at}` })}\n`;
const FILE = Array.from({ length: 3 }, (_, at) => line(at)).join("");

const bearer = (who) => ({ authorization: `Bearer ${KEYS[who]}` });

function form(content, name = "dataset.jsonl") {
  const body = new FormData();
  body.append("file", new Blob([content]), name);
  return body;
}

const head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n";
const MULTIPART = "multipart/form-data; boundary=x";

/** Sends the beginning of an upload by hand; `then` gets the socket. */
async function begin(gate, content, then) {
  const socket = connect(gate.port, "127.0.0.1");
  socket.on("error", () => {});
  let answer = "";
  socket.setEncoding("utf8").on("data", (part) => (answer += part));
  const ended = new Promise((resolve) => socket.on("close", resolve));
  const length = Buffer.byteLength(head + content) + 1000;
  socket.write(`POST /v1/datasets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEYS.one}\r\nContent-Type: ${MULTIPART}\r\nContent-Length: ${length}\r\n\r\n${head}${content}`);
  await then(socket, () => answer);
  socket.destroy();
  await ended;
  return answer;
}

const until = async (holds, what) => {
  for (const end = Date.now() + 10_000; !(await holds()); ) {
    assert.ok(Date.now() < end, what);
    await new Promise((wake) => setTimeout(wake, 25));
  }
};

for (const place of ["d1", "r2"]) {
  describe(`datasets in ${place}`, () => {
    let gate;
    before(async () => {
      gate = await startGate({ config, db: true, datasets: place === "r2" });
    });
    after(() => gate?.stop());

    const upload = (who, content, name) => gate.fetch("/v1/datasets", { method: "POST", headers: bearer(who), body: form(content, name) });
    const get = (who, path, init) => gate.fetch(path, { headers: bearer(who), ...init });
    const remove = (who, id) => get(who, `/v1/datasets/${id}`, { method: "DELETE" });
    const rows = async () => [
      (await gate.sql("SELECT count(*) AS n FROM datasets"))[0].n,
      (await gate.sql("SELECT count(*) AS n FROM dataset_chunks"))[0].n,
    ];
    const clean = async () => {
      for (const who of ["one", "two"]) {
        const { data } = await (await get(who, "/v1/datasets?limit=100")).json();
        for (const { id } of data) assert.equal((await remove(who, id)).status, 200);
      }
      assert.deepEqual(await rows(), [0, 0]);
    };

    test("an upload is kept and given back byte for byte, to be saved and not shown", async () => {
      const answer = await upload("one", FILE, "训练/集\u202e 1.html");
      const dataset = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(dataset));
      assert.match(dataset.dataset_id, /^ds_[0-9a-f]{32}$/);
      const expected = { object: "dataset", owner: "one", filename: "集 1.html", bytes: Buffer.byteLength(FILE), lines: 3, sha256: sha256(FILE), shape: "completion" };
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(dataset[name], value, name);
      assert.ok(Math.abs(dataset.created_at - Date.now() / 1000) < 60);
      assert.deepEqual(await (await get("one", `/v1/datasets/${dataset.id}`)).json(), dataset);
      assert.deepEqual(await (await get("one", "/v1/datasets")).json(), { object: "list", data: [dataset], next: null });

      const content = await get("one", `/v1/datasets/${dataset.id}/content`);
      assert.equal(content.headers.get("content-disposition"), "attachment; filename=\"_ 1.html\"; filename*=UTF-8''%E9%9B%86%201.html");
      assert.equal(content.headers.get("x-content-type-options"), "nosniff");
      assert.equal(content.headers.get("content-type"), "application/jsonl; charset=utf-8");
      assert.equal(content.headers.get("content-security-policy"), "default-src 'none'; sandbox");
      assert.equal(content.headers.get("cache-control"), "no-store");
      assert.equal(await content.text(), FILE);
      const asked = await get("one", `/v1/datasets/${dataset.id}/content`, { method: "HEAD" });
      assert.deepEqual([asked.status, await asked.text()], [200, ""]);

      assert.deepEqual(await (await remove("one", dataset.id)).json(), { id: dataset.id, dataset_id: dataset.id, object: "dataset", deleted: true });
      for (const path of ["", "/content"]) assert.equal((await get("one", `/v1/datasets/${dataset.id}${path}`)).status, 404);
      assert.equal((await remove("one", dataset.id)).status, 404);
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("a file of several chunks comes back whole, also where a chunk ends within a character", async () => {
      const size = 11 << 20;
      let text = "";
      for (let at = 0; Buffer.byteLength(text) < size; at += 20_000) text += Array.from({ length: 20_000 }, (_, n) => line(at + n)).join("");
      text = text.slice(0, text.lastIndexOf("\n", text.length / 2)) + "\n";
      // One line longer than a chunk, of characters of four bytes at odd places.
      text += `${JSON.stringify({ prompt: "x", completion: "\ufeff🙂".repeat(120_000) })}`;
      const answer = await upload("one", text);
      const dataset = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(dataset));
      assert.equal(dataset.sha256, sha256(text));
      const content = Buffer.from(await (await get("one", `/v1/datasets/${dataset.id}/content`)).arrayBuffer());
      assert.equal(sha256(content), sha256(text));
      const [{ longest, chunks }] = await gate.sql("SELECT max(length(CAST(content AS BLOB))) AS longest, count(*) AS chunks FROM dataset_chunks");
      if (place === "d1") assert.ok(longest < (512 << 10) + 4 && chunks > 8, `${chunks} rows, the longest of ${longest}`);
      else assert.equal(chunks, 0);
      await clean();
    });

    test("another's dataset is as none, but for administrators' eyes; auditors and strangers see nothing", async () => {
      const { id } = await (await upload("one", FILE)).json();
      const missing = await (await get("two", "/v1/datasets/ds_00000000000000000000000000000000")).json();
      for (const [path, method] of [[id, "GET"], [`${id}/content`, "GET"], [id, "DELETE"]]) {
        const refused = await get("two", `/v1/datasets/${path}`, { method });
        assert.equal(refused.status, 404);
        assert.deepEqual(await refused.json(), missing);
      }
      assert.deepEqual((await (await get("two", "/v1/datasets")).json()).data, []);
      assert.deepEqual((await (await get("two", `/v1/datasets?after=${id}`)).json()).data, []);
      assert.equal((await (await get("root", `/v1/datasets/${id}`)).json()).owner, "one");
      assert.deepEqual((await (await get("root", "/v1/datasets")).json()).data.map(({ id }) => id), [id]);
      assert.equal((await get("root", `/v1/datasets/${id}/content`)).status, 404, "what is in it is its owner's alone");
      assert.equal((await get("reader", "/v1/datasets")).status, 403);
      assert.equal((await upload("reader", FILE)).status, 403);
      assert.equal((await gate.fetch("/v1/datasets")).status, 401);
      assert.equal((await gate.fetch("/v1/datasets", { method: "POST", body: form(FILE) })).status, 401);
      assert.equal((await remove("root", id)).status, 200);
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("lists come in pages, the newest first, and a key has no more than it may", async () => {
      const ids = [];
      for (let at = 0; at < bounds.per_key; at += 1) ids.push((await (await upload("one", FILE)).json()).id);
      const over = await upload("one", FILE);
      assert.deepEqual([over.status, (await over.json()).error.code], [403, "forbidden"]);
      assert.equal((await upload("two", FILE)).status, 200, "another key is not concerned");
      const seen = [];
      for (let after = ""; after !== null; ) {
        const page = await (await get("one", `/v1/datasets?limit=2&after=${after}`)).json();
        assert.ok(page.data.length <= 2);
        seen.push(...page.data.map(({ id }) => id));
        after = page.next;
      }
      assert.deepEqual([...seen].sort(), [...ids].sort());
      for (const query of ["limit=0", "limit=101", "limit=x", "after=%27"]) assert.equal((await get("one", `/v1/datasets?${query}`)).status, 400);
      await clean();
    });

    test("a faulty file is refused with its lines named, and nothing of it stays", async () => {
      const file = `${FILE}{"prompt":"13812345678"}\n${line(9)}{"prompt":5,"completion":"x"}\n`;
      const answer = await upload("one", file);
      const { error } = await answer.json();
      assert.deepEqual([answer.status, error.code, error.param], [400, "invalid_request", "line 4: completion"]);
      assert.equal(error.message, "Line 4: completion: Required: a string. Line 6: prompt: Expected a string, found a number.");
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("faults are told of a large file too, whose sender is not cut off while sending", async () => {
      const good = Array.from({ length: 60_000 }, (_, at) => line(at)).join("");
      const answer = await upload("one", `${"[]\n".repeat(25)}${good}`);
      const { error } = await answer.json();
      assert.deepEqual([answer.status, error.param], [400, "line 1"]);
      assert.match(error.message, /Line 20: .* There may be more/);
      const late = await upload("one", `${good}{}\n`);
      assert.deepEqual([late.status, (await late.json()).error.param], [400, "line 60001: prompt"]);
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("a body over its bound is refused, whatever its length header says, and nothing of it stays", async () => {
      const big = `${JSON.stringify({ text: "x".repeat(1000) })}\n`.repeat(13_000);
      const whole = await upload("one", big);
      assert.deepEqual([whole.status, (await whole.json()).error.code], [413, "payload_too_large"]);
      async function* pieces() {
        yield Buffer.from(head);
        for (let at = 0; at < big.length; at += 100_000) yield Buffer.from(big.slice(at, at + 100_000));
      }
      const chunked = await get("one", "/v1/datasets", { method: "POST", headers: { ...bearer("one"), "content-type": MULTIPART }, body: ReadableStream.from(pieces()), duplex: "half" });
      assert.deepEqual([chunked.status, (await chunked.json()).error.code], [413, "payload_too_large"]);
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("what is no upload is refused", async () => {
      const post = (headers, body) => get("one", "/v1/datasets", { method: "POST", headers: { ...bearer("one"), ...headers }, body });
      for (const [headers, body, status, param] of [
        [{ "content-type": "application/json" }, "{}", 415, "content-type"],
        [{ "content-type": "multipart/form-data" }, "--x--", 400, "content-type"],
        [{ "content-type": MULTIPART, "content-encoding": "gzip" }, "--x--", 415, "content-encoding"],
        [{ "content-type": MULTIPART }, "--x--", 400, "body"],
        [{ "content-type": MULTIPART }, "", 400, "body"],
        [{ "content-type": MULTIPART }, `${head}${FILE}\r\n--x\r\n`, 400, "body"],
        [{ "content-type": MULTIPART }, `${head}${FILE}\r\n--x-`, 400, "body"],
        [{ "content-type": MULTIPART }, `--x\r\nContent-Disposition: form-data; name="owner"\r\n\r\ntwo\r\n--x--`, 400, "owner"],
        [{ "content-type": MULTIPART }, `--x\r\nX-A: ${"a".repeat(1 << 20)}\r\n\r\n`, 413, "body"],
      ]) {
        const answer = await post(headers, body);
        const { error } = await answer.json();
        assert.deepEqual([answer.status, error.param ?? undefined], [status, param], JSON.stringify(error));
      }
      assert.equal((await get("one", "/v1/datasets", { method: "PUT" })).status, 405);
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("a body that stops coming is cut, and nothing of it stays", async () => {
      const begun = Date.now();
      const answer = await begin(gate, FILE, (_, answer) => until(() => answer().includes("too slowly"), "an answer"));
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.ok(Date.now() - begun >= bounds.idle_ms - 50);
      assert.deepEqual(await rows(), [0, 0]);
    });

    test("a sender who goes away leaves nothing behind", async () => {
      const large = Array.from({ length: 20_000 }, (_, at) => line(at)).join("");
      await begin(gate, large, () => until(async () => (await rows())[0] === 1, "the upload has begun"));
      await until(async () => (await rows()).every((count) => count === 0), "nothing stays");
    });

    test("what an upload left behind whose machine died is swept away by the next one", async () => {
      const now = Math.floor(Date.now() / 1000);
      await gate.sql("INSERT INTO datasets (id, owner, place, created_at) VALUES ('ds_dead', 'one', 'd1', ?)", now - 3600);
      await gate.sql("INSERT INTO datasets (id, owner, place, created_at) VALUES ('ds_live', 'one', 'd1', ?)", now + 600);
      for (const id of ["ds_dead", "ds_live"]) {
        for (let seq = 0; seq < 40; seq += 1) await gate.sql("INSERT INTO dataset_chunks VALUES (?, ?, 'x')", id, seq);
      }
      assert.equal((await get("one", "/v1/datasets/ds_live")).status, 404, "what is on its way cannot be asked for");
      assert.equal((await upload("one", FILE)).status, 200);
      const left = await gate.sql("SELECT dataset_id AS id, count(*) AS n FROM dataset_chunks WHERE dataset_id LIKE 'ds_live' OR dataset_id LIKE 'ds_dead' GROUP BY 1");
      assert.deepEqual(left, [{ id: "ds_live", n: 40 }]);
      await gate.sql("DELETE FROM dataset_chunks WHERE dataset_id = 'ds_live'");
      await gate.sql("DELETE FROM datasets WHERE id = 'ds_live'");
      await clean();
    });

    test("a store that fails gives an error, and what stayed behind is swept away when it works again", async () => {
      if (place === "d1") await gate.sql("ALTER TABLE dataset_chunks RENAME TO away");
      else await gate.sql("CREATE TRIGGER away BEFORE UPDATE ON datasets BEGIN SELECT RAISE(FAIL, 'away'); END");
      const failed = await upload("one", FILE);
      assert.deepEqual([failed.status, (await failed.json()).error.code], [503, "overloaded"]);
      assert.deepEqual((await (await get("one", "/v1/datasets")).json()).data, []);
      if (place === "d1") await gate.sql("ALTER TABLE away RENAME TO dataset_chunks");
      else await gate.sql("DROP TRIGGER away");
      await gate.sql("UPDATE datasets SET created_at = 0 WHERE ready = 0");
      const { id } = await (await upload("one", FILE)).json();
      assert.deepEqual(await gate.sql("SELECT id, ready FROM datasets"), [{ id, ready: 1 }]);
      await clean();
    });

    test("uploads at the same time do not mix, and their log lines hold nothing of them", async () => {
      const files = Array.from({ length: 4 }, (_, at) => Array.from({ length: 2_000 }, (_, n) => line(`${at}-${n}-canary`)).join(""));
      const sets = await Promise.all(files.map(async (file) => (await upload("one", file, "canary.jsonl")).json()));
      for (const [at, { id }] of sets.entries()) assert.equal(await (await get("one", `/v1/datasets/${id}/content`)).text(), files[at]);
      await clean();
      assert.ok(!gate.output.includes("canary"));
      assert.ok(gate.logs.some(({ route, key, status }) => route === "datasets" && key === "one" && status === 200));
    });
  });
}

describe("datasets and the rest of the gate", () => {
  test("with redaction on, what is private is hidden before it is kept", async () => {
    const gate = await startGate({ config: { ...config, redaction: { entities: { SECRET: "block" } } }, db: true });
    try {
      const post = (content, name) => gate.fetch("/v1/datasets", { method: "POST", headers: bearer("one"), body: form(content, name) });
      const answer = await post(`${JSON.stringify({ text: "我的手机 13812345678" })}\n`, "13812345678.jsonl");
      const dataset = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(dataset));
      assert.equal(answer.headers.get("x-sluicegate-redacted"), "PHONE_CN=2");
      assert.equal(dataset.filename, "***手机号***.jsonl");
      const content = await (await gate.fetch(`/v1/datasets/${dataset.id}/content`, { headers: bearer("one") })).text();
      assert.equal(content, '{"text":"我的手机 ***手机号***"}\n');
      assert.equal(dataset.sha256, sha256(content));
      const secret = `{"text":"a"}\n${JSON.stringify({ text: "sk-proj-4f9aK2mQ8xZ1vB7nT3wY6cR0dLpE5hJs" })}\n`;
      const refused = await post(secret);
      const { error } = await refused.json();
      assert.deepEqual([refused.status, error.code, error.param], [400, "private_data", "line 2"]);
      const kept = JSON.stringify([await gate.sql("SELECT * FROM datasets"), await gate.sql("SELECT * FROM dataset_chunks")]);
      assert.ok(!kept.includes("13812345678") && !kept.includes("sk-proj"));
    } finally {
      await gate.stop();
    }
  });

  test("a body that drips is cut when its time is over, however little it was silent", async () => {
    const gate = await startGate({ config: { ...config, datasets: { ...bounds, total_ms: 1_200 } }, db: true });
    try {
      const begun = Date.now();
      const answer = await begin(gate, "", async (socket, answer) => {
        const drip = setInterval(() => socket.write(" "), 50);
        await until(() => answer().includes("too slowly"), "an answer").finally(() => clearInterval(drip));
      });
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.ok(Date.now() - begun >= 1_150);
      assert.deepEqual(await gate.sql("SELECT id FROM datasets"), []);
    } finally {
      await gate.stop();
    }
  });

  test("without a database, or without keys, it says so", async () => {
    const bare = await startGate({ config });
    try {
      const answer = await bare.fetch("/v1/datasets", { method: "POST", headers: bearer("one"), body: form(FILE) });
      assert.deepEqual([answer.status, (await answer.json()).error.code], [501, "not_supported"]);
      assert.equal((await bare.fetch("/v1/datasets", { headers: bearer("one") })).status, 501);
      assert.equal((await (await bare.fetch("/healthz")).json()).off.datasets, "no binding DB");
    } finally {
      await bare.stop();
    }
    const open = await startGate({ config: { development: true, upstreams }, db: true });
    try {
      const answer = await open.fetch("/v1/datasets", { method: "POST", body: form(FILE) });
      assert.deepEqual([answer.status, (await answer.json()).error.param], [501, "access"]);
    } finally {
      await open.stop();
    }
  });

  test("the migrations make the tables that it needs", async () => {
    const text = (await migrations()).join("\n");
    for (const table of ["datasets", "dataset_chunks"]) assert.ok(text.includes(`CREATE TABLE ${table} (`), table);
  });
});
