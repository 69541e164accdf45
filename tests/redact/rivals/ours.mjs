/** Ours, as the built package gives it: `sluicegate/redact` by its name, all packs on, labels rather than tokens. */
import { appFolder, appImport } from "../../bench/builds.mjs";

export const PACKS = ["all", "cn", "us", "uk"];

/** A redactor of the build, or undefined where there is no build or it has no redaction. */
export async function createOurs(options) {
  const app = appFolder();
  if (!app) return undefined;
  const load = await appImport(app);
  const entry = await load("sluicegate/redact").catch((error) => {
    if (error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED" || error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  });
  return entry?.createRedactor(options);
}

export async function open() {
  const redactor = await createOurs({ mode: "irreversible", packs: PACKS });
  return redactor && { redact: (text) => redactor.redact(text), close: () => redactor.close?.() };
}
