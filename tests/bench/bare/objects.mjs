// The Worker's objects, in a Worker of their own that counts what they are asked.
import * as gate from "./index.js";

const counts = {};

const counting = (name) =>
  class extends gate[name] {
    fetch(request) {
      counts[name] = (counts[name] ?? 0) + 1;
      return super.fetch(request);
    }
  };

export const KeyLimits = counting("KeyLimits");
export const RouteHealth = counting("RouteHealth");
export const LiveStream = counting("LiveStream");
export const Socket = counting("Socket");

export default { fetch: () => Response.json(counts) };
