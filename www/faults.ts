/** The misbehaviours that a scripted upstream offers, and how to ask for one: by words behind a model's name. */

/** A text in both languages. */
export interface Both {
  en: string;
  zh: string;
}

export interface Fault {
  id: string;
  title: Both;
  group: string;
  /** What a client without recovery sees. */
  sees: Both;
  example: string;
  words: string;
  model: string;
  /** What the request has to hold for it to show. */
  needs: string[];
}

/** When a fault happens: words that follow its own. */
export interface Schedule {
  words: string;
  title: Both;
}

export interface FaultList {
  faults: Fault[];
  schedules: Schedule[];
}

/** The fault that the next question is asked with; what an answer keeps of it. */
export interface ChosenFault {
  id: string;
  /** What is joined to the model's name. */
  words: string;
  title: Both;
  sees: Both;
}

let list: Promise<FaultList> | undefined;

/** The list, fetched once. A fetch that failed is tried again by the next call. */
export function loadFaults(): Promise<FaultList> {
  list ??= fetch("faults.json").then((answer) => {
    if (!answer.ok) throw new Error(`faults.json: HTTP ${answer.status}`);
    return answer.json() as Promise<FaultList>;
  });
  list.catch(() => {
    list = undefined;
  });
  return list;
}

/** Whether the fault's words can be followed by a schedule: those that are a combination bring their own. */
export const takesSchedule = (fault: Fault): boolean => fault.words === fault.example;

/** What this page can put into a request by itself, so that a fault shows. */
const PROVIDED: readonly string[] = ["temperature", "max_tokens", "a last assistant message"];

/** What a fault needs and this page does not send. */
export const lacking = (fault: Fault): string[] => fault.needs.filter((need) => !PROVIDED.includes(need));

/** The fault with a schedule. */
export function choose(fault: Fault, schedule: string): ChosenFault {
  return { id: fault.id, words: fault.words + (takesSchedule(fault) ? schedule : ""), title: fault.title, sees: fault.sees };
}

/** The model's name that asks for it. */
export const withFault = (model: string, fault: ChosenFault | undefined): string => (fault ? `${model}+${fault.words}` : model);

/** Fields without which the words would ask for nothing, where the reader has not set them. */
export function requestFields(words: string, set: { temperature: number | null; maxTokens: number | null }): { temperature?: number; max_tokens?: number } {
  const fields: { temperature?: number; max_tokens?: number } = {};
  if (/temperature/.test(words) && set.temperature === null) fields.temperature = 0.9;
  if (/(?:^|\+)context-\d/.test(words) && set.maxTokens === null) fields.max_tokens = 4_096;
  if (/at-least-max_tokens/.test(words) && set.maxTokens === null) fields.max_tokens = 64;
  return fields;
}

/** Whether a fault is found by what was typed: every word, in either language, in its title, its words or its group. */
export function matches(fault: Fault, typed: string, group: string): boolean {
  const text = `${fault.id} ${fault.words} ${fault.title.en} ${fault.title.zh} ${fault.sees.en} ${fault.sees.zh} ${group}`.toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
