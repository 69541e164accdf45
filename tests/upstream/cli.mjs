#!/usr/bin/env node
// node tests/upstream/cli.mjs --port N [--host H] [--dialect NAME] [--pace MS] [--key KEY] [--schedule WORDS] [--faults]

import { parseArgs } from "node:util";
import { startUpstream } from "./index.mjs";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    dialect: { type: "string", default: "openai" },
    pace: { type: "string", default: "20" },
    key: { type: "string" },
    schedule: { type: "string" },
    faults: { type: "boolean", default: false },
  },
});

const upstream = await startUpstream({ ...values, port: Number(values.port), pace: Number(values.pace) });
console.log(`scripted upstream ready at ${upstream.url}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => upstream.close());
