// The FETCH_MODULE of tests/clients: the SDKs through a gate.

import { createGate } from "sluicegate";

const gate = await createGate({ baseUrl: process.env.BASE_URL });
export const fetch = gate.fetch;
