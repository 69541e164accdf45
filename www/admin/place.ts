/** Where the reader is, in the address's fragment: only `/admin/` itself is a page, all below it is the API. */

export interface Place {
  /** `#/keys/key_1` is `["keys", "key_1"]`. */
  path: readonly string[];
  query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { path: parts, query: new URLSearchParams(query) };
}

export function hrefOf(path: readonly string[], query: Record<string, string | undefined> = {}): string {
  const given = new URLSearchParams(Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1])));
  const text = given.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}
