/** Programs of about ten lines that use a key, with this gate's address in them. They read the key from the environment. */
import { t } from "../i18n/index.js";
import type { KeyRecord } from "../types.js";
import { button, copyButton, freshId, h } from "../ui.js";

interface Sample {
  name: string;
  /** Whether it makes tokens that only a guide-compatible key takes. */
  guide?: boolean;
  code: string;
}

function samplesFor(origin: string, model: string): Sample[] {
  return [
    {
      name: "curl",
      code: `# SLUICEGATE_KEY holds the key
curl ${origin}/v1/chat/completions \\
  -H "authorization: Bearer $SLUICEGATE_KEY" \\
  -H "content-type: application/json" \\
  -d '{
    "model": "${model}",
    "stream": true,
    "messages": [{"role": "user", "content": "Why is the sky blue?"}]
  }'`,
    },
    {
      name: "JavaScript",
      code: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${origin}/v1", apiKey: process.env.SLUICEGATE_KEY });
const stream = await client.chat.completions.create({
  model: "${model}",
  stream: true,
  messages: [{ role: "user", content: "Why is the sky blue?" }],
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");`,
    },
    {
      name: "Python, guide A",
      guide: true,
      code: `import os, time, jwt, requests  # pip install pyjwt requests

key, secret = os.environ["SLUICEGATE_KEY"], os.environ["SLUICEGATE_SECRET"]
now = int(time.time())
token = jwt.encode({"iss": key, "iat": now, "exp": now + 3600, "api_key": key}, secret, algorithm="HS256")
answer = requests.post("${origin}/v1/complete", timeout=120,
                       headers={"Authorization": f"Bearer {token}"},
                       json={"model": "${model}", "prompt": "Why is the sky blue?"})
answer.raise_for_status()
print(answer.json()["choices"][0]["text"])`,
    },
    {
      name: "Python, guide B",
      guide: true,
      code: `import os, time, jwt, requests  # pip install pyjwt requests

key, secret = os.environ["SLUICEGATE_KEY"], os.environ["SLUICEGATE_SECRET"]
now = int(time.time())
signed = jwt.encode({"iss": key, "iat": now, "exp": now + 86400}, secret, algorithm="HS256")
bearer = lambda token: {"Authorization": f"Bearer {token}"}
token = requests.post("${origin}/auth/token", headers=bearer(signed), timeout=30,
                      json={"grant_type": "client_credentials"}).json()["access_token"]
answer = requests.post("${origin}/v1/models/${model}/infer", headers=bearer(token), json={"prompt": "Why is the sky blue?"}, timeout=120)
print(answer.json()["choices"][0]["text"])`,
    },
  ];
}

/** Tabs of samples: arrow keys go from one to the next. */
export function samplePanel(record: KeyRecord): HTMLElement {
  const model = record.models?.find((one) => !one.includes("*")) ?? "deepseek-r1";
  const samples = samplesFor(location.origin, model).filter(({ guide }) => !guide || record.guide_compatible);
  const code = h("code");
  const pre = h("pre", "sample-code", code);
  pre.tabIndex = 0;
  pre.id = freshId();
  pre.setAttribute("role", "tabpanel");
  let current = 0;
  const choose = (index: number): void => {
    current = (index + samples.length) % samples.length;
    code.textContent = samples[current]?.code ?? "";
    pre.setAttribute("aria-label", samples[current]?.name ?? "");
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === current));
      tab.tabIndex = at === current ? 0 : -1;
    });
  };
  const tabs = samples.map(({ name }, index) => {
    const tab = button(name, () => choose(index), "tab");
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", pre.id);
    return tab;
  });
  const bar = h("div", "tab-list", ...tabs);
  bar.setAttribute("role", "tablist");
  bar.setAttribute("aria-label", t("samples"));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose(current + step);
    tabs[current]?.focus();
  });
  choose(0);
  return h("section", "samples", h("h3", "", t("samples")), h("p", "hint", t("samplesHint")), h("div", "sample-bar", bar, copyButton(t("samples"), () => samples[current]?.code ?? "")), pre);
}
