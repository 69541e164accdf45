import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const here = fileURLToPath(new URL(".", import.meta.url));
const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

test("the package's types accept what its users write, refuse what would fail, and fit the SDKs", () => {
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", here], { encoding: "utf8" });
  assert.equal(stdout, "");
  assert.equal(status, 0);
});
