// The FETCH_MODULE of tests/clients: the SDKs through a gate.

import { createGate } from "sluicegate";

// One gate for refusals of every kind, one after the other: no breaker may come between.
const gate = await createGate({ baseUrl: process.env.BASE_URL, breaker: false });
export const fetch = gate.fetch;
