import type { ContentPart } from "../types.js";
import { LocalError } from "./error.js";

/** The image of a part, whose URL is a `data:` URL. Read by hand: a page's policy may forbid to fetch one. */
export function blobOf(part: ContentPart): Blob {
  const { url } = (part as { image_url: { url: string } }).image_url;
  const [, type, base64] = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(url) ?? [];
  try {
    return new Blob([Uint8Array.from(atob(base64!), (char) => char.charCodeAt(0))], { type: type! });
  } catch {
    throw new LocalError("invalid_request", "An image is not a data: URL in base64.", "messages");
  }
}
