// The suite of real SDKs (tests/clients), each with the gate's fetch.

import { fileURLToPath } from "node:url";

process.env.FETCH_MODULE = fileURLToPath(new URL("gate-fetch.mjs", import.meta.url));
await import("../clients/clients.test.mjs");
