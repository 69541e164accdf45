/** The clipboard. */

/** Puts `text` into it; whether that worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // No permission, or a page that is not served securely.
  }
}
