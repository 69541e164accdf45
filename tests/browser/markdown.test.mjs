// The page's Markdown, in Chromium and without the rest of the page: what it shows, that chunking never changes it, and
// that a flush costs what changed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundle, launchChromium, randomFrom } from "./chromium.mjs";

const SEED = Number(process.env.SEED ?? 20_261_122);
let browser;
let page;

before(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
  await page.addScriptTag({ content: await bundle(fileURLToPath(new URL("../../www/markdown/stream.ts", import.meta.url)), "markdown") });
  await page.evaluate(() => {
    globalThis.hooks = {
      codeBar(language) {
        const bar = document.createElement("figcaption");
        bar.textContent = language;
        return bar;
      },
      blockedImage(host, alt) {
        const chip = document.createElement("mark");
        chip.textContent = `${host}|${alt}`;
        return chip;
      },
    };
    globalThis.whole = (text) => {
      const root = document.createElement("div");
      markdown.renderMarkdown(root, text, hooks);
      return root.innerHTML;
    };
    // Pieces of `sizes` characters, with a flush after each piece whose flag is set.
    globalThis.streamed = (text, pieces) => {
      const root = document.createElement("div");
      const stream = new markdown.MarkdownStream(root, hooks);
      let at = 0;
      for (const [size, flush] of pieces) {
        stream.push(text.slice(at, at + size));
        at += size;
        if (flush) stream.flush();
      }
      stream.push(text.slice(at));
      stream.finish();
      return root.innerHTML;
    };
  });
});

after(() => browser?.close());

const whole = (text) => page.evaluate((source) => globalThis.whole(source), text);

const CORPUS = [
  "# Title\n\nA paragraph with **bold**, *emphasis*, `code` and ~~struck~~ text.\n\nSecond line\\\nbreak.  \nTwo spaces.\n\n---\n\nEnd",
  "1. one\n\n2. two\n   - nested\n   - more\n\n     deep paragraph\n3. three\n\nafter",
  "- tight\n- list\n\n- now loose\n\ntext\n\n* other\n* list",
  "- [ ] open\n- [x] done\n\n+ plus",
  "```js\nconst a = `x`;\n\n\nif (a) {}\n```\nafter\n\n~~~\nplain\n~~~\n\n    indented\n    code\n\n```python\nunclosed = True",
  "- item\n  ```rust\n  fn main() {}\n  ```\n- next\n\n> quote\n> ```\n> code\n> ```\nlazy line\n\n> second",
  "| a | b |\n|:--|--:|\n| 1 | **2** |\n| 3 | `4` |\n\nafter the table",
  "Title\n===\n\nSub\n---\n\npara\n- list\n\n\n\n\nmany blanks",
  "See [the docs][d] and [again][D] and [missing][m].\n\nMore text.\n\n[d]: https://example.com/docs 'Docs'\n\nTail [d].",
  "[a]: https://a.example\n\"title\nover lines\"\n\n[a] text",
  "[b]: https://b.example\n  'later title'\n\n[b] and <https://auto.example> and www.example.com and me@example.com.",
  "<div>\n<b>raw</b>\n</div>\n\ninline <i>html</i> and <br> break\n\n<!-- comment\nover lines -->\n\n<script>\nalert(1)\n</script>\n\nend",
  "Inline \\(a+b\\) and $x^2$ and costs $5 and $10.\n\n$$\n\\frac{1}{2}\n$$\n\n\\[\nE = mc^2\n\\]\n\nText: \\[x\\] inline.\n$$y$$\nend",
  "**重要提示：**请注意。他说**“你好”**。这是*（强调）*文字。**“引用”**后面",
  "Windows\r\nlines\r\n\r\n- one\r\n- two\rthree\r\n",
  "&amp; &lt;tag&gt; &#x4e2d; &copy; &unknown; &#0; \\* \\# \\[",
  "emoji 👩‍👩‍👧 and 𠮷 and ﷽ and العربية **غامق** نص",
  "a\n\n1. x\n\n\n1. y\n\n2",
  "* * *\n\n*a **b** c* **d *e* f** ***g*** _h_ __i__ j_k_l",
  "![alt](https://evil.example/p.png?q=secret) ![](//host/x) ![ref][r]\n\n[r]: http://r.example/i.png",
  "",
  "\n\n\n",
  "   \n\t\ttab code\n\n\tmore",
];

const FRAGMENTS = [
  "word ", "中文", "**", "*", "_", "`", "```", "\n", "\n\n", "\n", "- ", "1. ", "2. ", "  ", "    ", "> ", "# ", "| a | b |\n|---|---|\n| c | d |\n",
  "[x](https://e.example)", "[ref]", "[ref]: https://r.example\n", "![i](https://i.example/x)", "$", "$$", "\\(", "\\)", "\\[", "\\]", "<b>", "</b>", "<a>", "<pre>",
  "<div>", "---", "===", "~~", "~~~", "&amp;", "\\", "：", "（", "）", "。", "\r\n", "\r", "\t", "|", "js\n", "[ ] ", "!", "(", ")", "<!--", "-->", "https://u.example",
];

function pieces(random, length) {
  const most = [1, 3, 17, 200][Math.floor(random() * 4)];
  const out = [];
  for (let sum = 0; sum < length;) {
    const size = 1 + Math.floor(random() * most);
    out.push([size, random() < 0.7]);
    sum += size;
  }
  return out;
}

test("any chunking gives the DOM of the whole text", async () => {
  const random = randomFrom(SEED);
  for (const text of CORPUS) {
    const expected = await whole(text);
    const runs = [[], Array.from(text, (char) => [char.length, true]), ...Array.from({ length: 12 }, () => pieces(random, text.length))];
    for (const run of runs) {
      const got = await page.evaluate(([source, parts]) => globalThis.streamed(source, parts), [text, run]);
      assert.equal(got, expected, `seed ${SEED}, text ${JSON.stringify(text)}, pieces ${JSON.stringify(run)}`);
    }
  }
});

test("any chunking of random Markdown gives the DOM of the whole text", async () => {
  const random = randomFrom(SEED + 1);
  const cases = Array.from({ length: 400 }, () => {
    const text = Array.from({ length: 2 + Math.floor(random() * 40) }, () => FRAGMENTS[Math.floor(random() * FRAGMENTS.length)]).join("");
    return [text, pieces(random, text.length)];
  });
  const failed = await page.evaluate((all) => all
    .map(([text, parts]) => ({ text, parts, streamed: globalThis.streamed(text, parts), whole: globalThis.whole(text) }))
    .filter((one) => one.streamed !== one.whole)
    .sort((a, b) => a.text.length - b.text.length)[0], cases);
  assert.equal(JSON.stringify(failed), undefined, `seed ${SEED}`);
});

test("emphasis closes beside Chinese punctuation", async () => {
  assert.match(await whole("**重要提示：**请注意"), /^<p><strong>重要提示：<\/strong>请注意<\/p>$/);
  assert.match(await whole("他说**“你好”**。"), /他说<strong>“你好”<\/strong>。/);
  assert.match(await whole("這是*（強調）*文字"), /<em>（強調）<\/em>/);
  assert.equal(await whole("2 * 3 * 4 = 24"), "<p>2 * 3 * 4 = 24</p>");
  assert.match(await whole("**plain** and **nested *em* strong**"), /<strong>plain<\/strong> and <strong>nested <em>em<\/em> strong<\/strong>/);
  assert.match(await whole("`**代码：**`后"), /<code>\*\*代码：\*\*<\/code>/);
});

test("formulas take TeX delimiters and leave prices alone", async () => {
  assert.equal(await whole("It costs $5 and $10, or 20 $ a day."), "<p>It costs $5 and $10, or 20 $ a day.</p>");
  for (const [text, display] of [["\\(a_1\\)", false], ["$a_1$", false], ["$$a_1$$", true], ["\\[a_1\\]", true], ["\\[\na_1\n\\]", true]]) {
    const html = await whole(text);
    assert.ok(html.includes(display ? 'class="math display"' : 'class="math"'), `${text}: ${html}`);
    assert.ok(!html.includes("<em>"), html);
  }
  assert.match(await whole("Then\n\\[\nx\n\\]\nholds"), /<p>Then\s*<\/p><span class="math display"[^<]*<\/span><p>holds<\/p>/);
  assert.ok(!(await whole("`$a$` and \\$b\\$")).includes("math"));
});

test("links leave only for http, https and mailto, and say nothing of where they come from", async () => {
  const html = await whole("[a](https://a.example/x?y=1&amp;z=2) [b](mailto:x@y.example) [c](javascript:alert(1)) [d](//h.example/x) [e](/local) [f](data:text/html,x) [g](JaVaScRiPt:x) [h](vbscript:x)");
  assert.deepEqual([...html.matchAll(/href="([^"]*)"/g)].map((found) => found[1]), ["https://a.example/x?y=1&amp;z=2", "mailto:x@y.example"]);
  assert.equal(html.match(/rel="noopener noreferrer"/g).length, 2);
});

test("an image is a label with its host, and raw HTML is text", async () => {
  const html = await whole('![secret](https://evil.example/p.png?q=1) ![](//host.example/x)\n\n<img src="https://evil.example/y"> <b onclick="x()">hi</b>\n\n<iframe src="https://evil.example"></iframe>');
  assert.ok(html.includes("<mark>evil.example|secret</mark>") && html.includes("<mark>host.example|</mark>"), html);
  assert.ok(!/<(?:img|b|iframe|script)\b/.test(html), html);
  assert.ok(html.includes("&lt;iframe"), html);
});

test("nothing that is rendered asks the network for anything", async () => {
  const asked = [];
  const listen = (request) => asked.push(request.url());
  page.on("request", listen);
  await page.evaluate((texts) => {
    const root = document.createElement("div");
    document.body.append(root);
    for (const text of texts) markdown.renderMarkdown(root, text, hooks);
  }, CORPUS);
  await page.waitForTimeout(200);
  page.off("request", listen);
  assert.deepEqual(asked, []);
});

test("a selection in a finished block survives a hundred flushes", async () => {
  const selected = await page.evaluate(() => {
    const root = document.createElement("div");
    document.body.replaceChildren(root);
    const stream = new markdown.MarkdownStream(root, hooks);
    stream.push("First paragraph to select.\n\n- item one\n- item two\n\nSecond ");
    stream.flush();
    document.getSelection().selectAllChildren(root.firstElementChild);
    for (let round = 0; round < 100; round += 1) {
      stream.push(`word **${round}** and\n${round % 7 ? "" : "\n"}`);
      stream.flush();
    }
    stream.finish();
    return document.getSelection().toString();
  });
  assert.equal(selected, "First paragraph to select.");
});

test("an answer of 64 KB in 329 flushes never takes 16 ms for one, nor does one endless block", async () => {
  const shapes = {
    mixed: "## Part\n\nA paragraph with **bold**, `code`, a [link](https://e.example) and 中文**加粗：**文字.\n\n- one\n- two with *emphasis*\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nconst a = 1;\nfunction f(x) { return x * a; }\n```\n\n",
    paragraph: "words with **bold** text and `code` in a paragraph that never ends ",
    list: "- item with **bold** text and `code` in a list that never ends\n",
    code: "    let value = compute(previous, next); // a line of code\n",
  };
  for (const [name, unit] of Object.entries(shapes)) {
    const source = (name === "code" ? "```rust\n" : "") + unit.repeat(Math.ceil(65_536 / unit.length)).slice(0, 65_536);
    const runs = [];
    for (let run = 0; run < 5; run += 1) {
      runs.push(await page.evaluate((text) => {
        const root = document.createElement("div");
        document.body.replaceChildren(root);
        const stream = new markdown.MarkdownStream(root, hooks);
        const size = Math.ceil(text.length / 329);
        const times = [];
        const timed = (work) => {
          const from = performance.now();
          work();
          times.push(performance.now() - from);
        };
        for (let at = 0; at < text.length; at += size) {
          stream.push(text.slice(at, at + size));
          timed(() => stream.flush());
        }
        timed(() => stream.finish());
        return times;
      }, source));
    }
    // The best of five runs for each flush: other work on the machine is not the page's.
    const best = runs[0].map((_, index) => Math.min(...runs.map((run) => run[index])));
    const settling = best.pop();
    const worst = Math.max(...best);
    console.log(`${name}: worst flush ${worst.toFixed(1)} ms, settling ${settling.toFixed(1)} ms`);
    assert.ok(worst <= 16, `${name}: worst flush ${worst.toFixed(1)} ms`);
  }
});
