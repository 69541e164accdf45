"""Generates the evaluation set of redaction: `python generate.py OUT.jsonl [--seed N] [--cases N] [--sample FILE]`.

One case a line, half of them with nothing to hide:

    {"id", "split": "dev" | "test", "template", "text", "negative", "spans": [{"start", "end", "start16", "end16", "entity", "form", "kind"}]}

`start` and `end` count UTF-8 bytes, `start16` and `end16` UTF-16 units. A template is a sentence with what stands around it; both belong to one half,
so that nothing of a test template was ever seen in dev. The same seed and versions (requirements.txt) give the same bytes.

`--sample` also writes a small choice of the cases as one JSON file for the native suite, its secrets cut in pieces so that no scanner of
repositories takes them for real ones.
"""

import argparse
import json
import random
import sys

import clauses
import negatives
import spelling
import values
import vendors

SPLITS = ("dev", "test")

# Values whose form alone is enough: they also stand in sentences without a keyword.
SPEAKS_FOR_ITSELF = {"PHONE_CN", "ID_CN", "BANKCARD", "EMAIL", "IP", "MAC", "USCC", "TWID", "PLATE", "IBAN"}
SHARE = {"PHONE_CN": 3, "ID_CN": 3, "BANKCARD": 2.5, "EMAIL": 2, "PERSON": 2, "ADDRESS": 1.5}


def wrap(split_index, rng, clause, value):
    """(template's name, text, where the value begins) of a clause inside a carrier of the same half."""
    sentence, (name, frame, escaped) = clause[1], rng.choice(clauses.CARRIERS[split_index])
    before, after = sentence.split("{}", 1)
    # A line's end would become `\\n`, whose n is a letter in front of whatever follows: nobody reads JSON undecoded.
    if escaped and any(json.dumps(part, ensure_ascii=False)[1:-1] != part for part in (before, value, after)):
        return wrap(split_index, rng, clause, value)
    head, tail = frame.replace("{{", "\0").replace("}}", "\1").split("{}", 1)
    head, tail = (part.replace("\0", "{").replace("\1", "}") for part in (head, tail))
    return f"{clause[0]}+{name}", head + before + value + after + tail, len(head) + len(before)


def span(text, start, value, entity, form, kind):
    end = start + len(value)
    assert text[start:end] == value
    wide = lambda part: len(part.encode("utf-16-le")) // 2
    narrow = lambda part: len(part.encode())
    return {
        "start": narrow(text[:start]), "end": narrow(text[:end]), "start16": wide(text[:start]), "end16": wide(text[:end]),
        "entity": entity, "form": form, "kind": kind,
    }  # fmt: skip


def positive(rng, split_index, kind, at):
    entity = kind.split(":")[0]
    named = [(f"{kind}/{SPLITS[split_index]}{n}", text) for n, text in enumerate(clauses.KEYED[kind][split_index])]
    form, value = spelling.spell(rng, kind, values.make(kind, rng))
    # A Hong Kong number without its brackets is a letter and seven digits: only those are clear without a keyword.
    if kind in SPEAKS_FOR_ITSELF or (kind == "HKID" and value.endswith(")")):
        named += [(f"{kind}/bare-{SPLITS[split_index]}{n}", text) for n, text in enumerate(clauses.BARE[split_index])]
    template, text, start = wrap(split_index, rng, named[at % len(named)], value)
    return template, text, [span(text, start, value, entity, form, kind)]


def secret(rng, split_index, vendor, at):
    value, hidden = vendors.SECRETS[vendor](rng)
    which = clauses.SECRET_OWN if value != hidden or "\n" in value else clauses.SECRET
    sentences = which[split_index]
    n = at % len(sentences)
    template, text, start = wrap(split_index, rng, (f"SECRET:{vendor}/{SPLITS[split_index]}{n}", sentences[n]), value)
    return template, text, [span(text, start + value.index(hidden), hidden, "SECRET", "plain", f"SECRET:{vendor}")]


def two(rng, split_index, at):
    """Two values in one text: neither may swallow the other."""
    kinds = rng.sample(["PHONE_CN", "ID_CN", "BANKCARD", "EMAIL", "IP"], 2)
    shapes = (["{}，{}", "电话{}，备用{}", "{} / {}"], ["{}；{}", "{}和{}都可以", "{} or {}"])[split_index]
    pieces = shapes[at % len(shapes)].split("{}")
    spelled = [spelling.spell(rng, kind, values.make(kind, rng)) for kind in kinds]
    joined = spelled[0][1] + pieces[1] + spelled[1][1]
    template, text, start = wrap(split_index, rng, (f"two/{SPLITS[split_index]}{at % len(shapes)}", pieces[0] + "{}" + pieces[2]), joined)
    second = start + len(spelled[0][1]) + len(pieces[1])
    return template, text, [span(text, at, value, kind, form, kind) for at, kind, (form, value) in zip((start, second), kinds, spelled)]


def positives(count):
    kinds = [kind for kind in clauses.KEYED]
    total = sum(SHARE.get(kind, 1) for kind in kinds)
    secrets, pairs = count // 7, count // 20
    rest = count - secrets - pairs
    for kind in kinds:
        for at in range(round(rest * SHARE.get(kind, 1) / total)):
            yield kind, at, lambda rng, half, at, kind=kind: positive(rng, half, kind, at)
    for at in range(secrets):
        vendor = list(vendors.SECRETS)[at % len(vendors.SECRETS)]
        yield "SECRET:" + vendor, at // len(vendors.SECRETS), lambda rng, half, at, vendor=vendor: secret(rng, half, vendor, at)
    for at in range(pairs):
        yield "two", at, two


def negative(rng, split_index, name, at):
    maker, *halves = negatives.NEGATIVES[name]
    sentences = halves[split_index]
    n = at % len(sentences)
    template, text, _ = wrap(split_index, rng, (f"no:{name}/{SPLITS[split_index]}{n}", sentences[n]), maker(rng))
    return template, text, []


def words(rng, split_index, name, at):
    sentences = negatives.WORDS[name][split_index::2]
    n = at % len(sentences)
    sentence = sentences[n].replace("{}", "")
    template, text, _ = wrap(split_index, rng, (f"no:{name}/{SPLITS[split_index]}{n}", "{}"), sentence)
    return template, text, []


def negative_cases(count):
    names = list(negatives.NEGATIVES) + [name for name in negatives.WORDS for _ in range(3)]
    for at in range(count):
        name = names[at % len(names)]
        make = negative if name in negatives.NEGATIVES else words
        yield name, at // len(names), lambda rng, half, at, name=name, make=make: make(rng, half, name, at)


def generate(seed, count):
    rng = random.Random(seed)
    values.seed(seed)
    seen, cases = set(), []
    for is_negative, recipes in ((False, positives(count // 2)), (True, negative_cases(count // 2))):
        for name, at, make in recipes:
            half = at % 2
            # The few classes with few texts run dry: then the class stays smaller.
            for attempt in range(20):
                template, text, spans = make(rng, half, at // 2 + attempt)
                if text not in seen:
                    break
            else:
                continue
            seen.add(text)
            number = len(cases)
            cases.append({"id": f"{number:05}", "split": SPLITS[half], "template": template, "text": text, "negative": is_negative, "spans": spans})
    check(cases)
    return cases


def check(cases):
    """What the set promises about itself."""
    halves = {}
    for case in cases:
        assert halves.setdefault(case["template"], case["split"]) == case["split"], case["template"]
        assert case["negative"] == (not case["spans"])
        narrow, wide = case["text"].encode(), case["text"].encode("utf-16-le")
        for each in case["spans"]:
            assert narrow[each["start"] : each["end"]].decode() == wide[each["start16"] * 2 : each["end16"] * 2].decode("utf-16-le")


def sample(cases, size):
    """A choice that holds every kind in every spelling, every vendor, and every class of negatives in both halves, in the order of the set."""
    groups = {}
    for case in cases:
        kind = case["template"].split("/")[0]
        spelled = " ".join(each["form"] for each in case["spans"]) if kind != "two" else ""
        groups.setdefault((kind, spelled or case["split"]), []).append(case)
    chosen = []
    for at in range(max(map(len, groups.values()))):
        for (kind, _), group in groups.items():
            if at < len(group) and len(chosen) < size and not (at > 0 and kind.startswith("SECRET:")):
                chosen.append(group[at])
    return [in_pieces(case) for case in sorted(chosen, key=lambda case: case["id"])]


def in_pieces(case):
    """The text as a list to be joined, cut inside every secret behind its second and twelfth character."""
    narrow, cuts = case["text"].encode(), [0]
    for each in case["spans"]:
        if each["entity"] == "SECRET":
            cuts += [at for at in (each["start"] + 2, each["start"] + 12) if at < each["end"]]
    # The examples of vendors look real as well.
    if case["template"].startswith("no:no-secret"):
        cuts += [at for at in range(6, len(narrow), 12) if narrow[at] < 128 and narrow[at - 1] < 128]
    cuts = sorted(cut for cut in set(cuts) if cut < len(narrow)) + [len(narrow)]
    pieces = [narrow[a:b].decode() for a, b in zip(cuts, cuts[1:])]
    return {**case, "text": pieces if len(pieces) > 1 else case["text"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--cases", type=int, default=6000)
    parser.add_argument("--sample")
    arguments = parser.parse_args()
    cases = generate(arguments.seed, arguments.cases)
    with open(arguments.out, "w", encoding="utf-8", newline="\n") as file:
        for case in cases:
            file.write(json.dumps(case, ensure_ascii=False) + "\n")
    if arguments.sample:
        with open(arguments.sample, "w", encoding="utf-8", newline="\n") as file:
            lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in sample(cases, 300))
            file.write(f"[\n{lines}\n]\n")
    print(f"{len(cases)} cases, {sum(case['negative'] for case in cases)} with nothing to hide", file=sys.stderr)


if __name__ == "__main__":
    main()
