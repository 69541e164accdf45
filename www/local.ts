/** The browser's own model as the last resort. Where there is none, nothing of it is even fetched. */
import type { LocalModel } from "sluicegate/local/prompt-api";

export type DeviceModel = LocalModel;

/** The model, if this browser has the interface and does not say that the device is too weak for it. */
export async function deviceModel(): Promise<DeviceModel | undefined> {
  if (!("LanguageModel" in globalThis)) return undefined;
  try {
    const { promptApi } = await import("sluicegate/local/prompt-api");
    const model = promptApi();
    return (await model.availability()) === "unavailable" ? undefined : model;
  } catch {
    return undefined; // A last resort that does not come is none.
  }
}
