// The words of the scripted model: useful as a demonstration (Markdown with a heading, a list, a table, code and a formula)
// and stable enough for tests to compare.

const SENTENCE = ["The ", "gate ", "counts ", "every ", "token ", "that ", "passes", ", ", "and ", "forgets ", "none", ". "];

/** Han characters, accents, and emoji of one, two and more code points. */
export const UTF8_TEXT = "分割测试：每个字符都可能被切开。😀👍🏽👩‍👩‍👧‍👦🇨🇳 naïve façade – “quoted” … €100 𝒳²\n你好，世界！🎉";

/** What some models say before they go on. */
export const PREFACE = "Sure, continuing:\n";

/** An answer to another question than the one that was asked. */
export const UNRELATED = "Bees dance to tell each other where the flowers are. A waggle to the left means far, and so do many of them.";

/** The thoughts before an answer. */
export function demoReasoning({ echo, chinese, toolResult }, toolCalls) {
  if (toolCalls.length) {
    const names = toolCalls.map((call) => call.function.name).join(", ");
    return chinese ? `用户提到“${echo}”，需要调用工具：${names}。` : `The user asks "${echo}". I need these tools: ${names}.`;
  }
  if (toolResult !== undefined) return chinese ? "工具已经给出结果，现在可以回答。" : "The tool has answered; now I can answer too.";
  return chinese
    ? `用户说“${echo}”。我先给出要点，再用表格、代码和公式说明。`
    : `The user says "${echo}". I give the points first, then a table, code and a formula.`;
}

/** The answer itself. */
export function demoAnswer({ echo, chinese, copy, toolResult }) {
  const take = copy ? (chinese ? `（第 ${copy + 1} 稿）` : ` (take ${copy + 1})`) : "";
  if (toolResult !== undefined) {
    const result = Array.from(toolResult).slice(0, 200).join("");
    return chinese ? `根据工具的结果：${result}\n\n以上就是对“${echo}”的回答${take}。` : `The tool says: ${result}\n\nThat answers "${echo}"${take}.`;
  }
  return chinese ? chineseAnswer(echo, take) : englishAnswer(echo, take);
}

/** `count` tokens of plain text. */
export function* longText(count) {
  for (let at = 0; at < count; at += 1) yield SENTENCE[at % SENTENCE.length];
}

/** `count` tokens, no two alike, so that a repeated or a lost one shows. */
export function* numberedText(count) {
  for (let at = 1; at <= count; at += 1) yield at === 1 ? "n1" : ` n${at}`;
}

function englishAnswer(echo, take) {
  return `## A short answer${take}

You wrote: "${echo}". In brief:

- The **prompt** is checked before it leaves you.
- The *answer* streams token by token.

| step | time |
| --- | --- |
| check | 1 ms |
| first token | 300 ms |

\`\`\`js
for await (const delta of stream) print(delta.text);
\`\`\`

The cost is $c = n \\cdot p$ for $n$ tokens. 🙂`;
}

function chineseAnswer(echo, take) {
  return `## 简短回答${take}

您写道：“${echo}”。要点如下：

- **提示**在离开您之前已检查。
- *回答*逐个词元输出。

| 步骤 | 时间 |
| --- | --- |
| 检查 | 1 毫秒 |
| 首个词元 | 300 毫秒 |

\`\`\`js
for await (const delta of stream) print(delta.text);
\`\`\`

费用为 $c = n \\cdot p$，其中 $n$ 为词元数。🙂`;
}
