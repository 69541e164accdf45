"""How people write a value: spaced, dashed, full-width, in Chinese digits, with invisible characters in between."""

CHINESE = str.maketrans("0123456789", "零一二三四五六七八九")
CHINESE_RING = str.maketrans("0123456789", "〇一二三四五六七八九")
FULL = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"]

# As the issuers print them; all other cards in fours.
CARDS = {14: (4, 6, 4), 15: (4, 6, 5)}
GROUPS = {"PHONE_CN": (3, 4, 4), "ID_CN": (6, 8, 4), "US_SSN": (3, 2, 4), "UK_NINO": (2, 2, 2, 2, 1)}


def grouped(entity, text, separator):
    sizes = CARDS.get(len(text), (4,) * 5) if entity == "BANKCARD" else GROUPS.get(entity, (4,) * 9)
    found, at = [], 0
    for size in sizes:
        found.append(text[at : at + size])
        at += size
    return separator.join(part for part in found if part)


def invisible(rng, text):
    places = sorted(rng.sample(range(1, len(text)), min(rng.randint(1, 3), len(text) - 1)), reverse=True)
    for at in places:
        text = text[:at] + rng.choice(INVISIBLE) + text[at:]
    return text


def half_chinese(rng, text):
    at, length = rng.randrange(1, len(text) - 3), rng.randint(2, 5)
    return text[:at] + text[at : at + length].translate(CHINESE) + text[at + length :]


SPELLINGS = {
    "plain": lambda rng, entity, text: text,
    "spaced": lambda rng, entity, text: grouped(entity, text, " "),
    "dashed": lambda rng, entity, text: grouped(entity, text, "-"),
    "dotted": lambda rng, entity, text: grouped(entity, text, "."),
    "each-spaced": lambda rng, entity, text: " ".join(text),
    "full-width": lambda rng, entity, text: text.translate(FULL),
    "invisible": lambda rng, entity, text: invisible(rng, text),
    "chinese": lambda rng, entity, text: text.translate(rng.choice([CHINESE, CHINESE_RING])),
    "half-chinese": lambda rng, entity, text: half_chinese(rng, text),
    "country": lambda rng, entity, text: rng.choice(["+86", "+86 ", "86-", "0086", "+86-"]) + grouped(entity, text, rng.choice(["", " ", "-"])),
    "lower": lambda rng, entity, text: text.lower(),
}

# Which of them a kind of value is found in besides the plain one.
USUAL = {
    "PHONE_CN": ["spaced", "dashed", "dotted", "each-spaced", "full-width", "invisible", "chinese", "half-chinese", "country"],
    "ID_CN": ["spaced", "dashed", "each-spaced", "full-width", "invisible", "chinese", "half-chinese", "lower"],
    "BANKCARD": ["spaced", "dashed", "each-spaced", "full-width", "invisible", "half-chinese"],
    "TEL_CN": ["full-width", "invisible"], "PHONE_INTL": ["full-width", "invisible"], "EMAIL": ["full-width", "invisible"], "IP": ["full-width"],
    "MAC": ["full-width", "lower"], "IMEI": ["full-width", "invisible"], "IMSI": ["full-width"], "USCC": ["full-width", "invisible"],
    "PASSPORT_CN": ["full-width", "invisible"], "HKID": ["full-width"], "TWID": ["full-width", "invisible"], "PLATE": ["full-width"],
    "IBAN": ["spaced", "full-width"], "US_SSN": ["full-width"], "UK_NINO": ["spaced"], "QQ": ["full-width", "invisible"], "SOCIAL": ["full-width"],
    "EEP": ["full-width"], "HRP": ["full-width"],
}  # fmt: skip


def spell(rng, entity, text):
    """(name of the spelling, text); the plain one at least half of the time."""
    others = USUAL.get(entity, [])
    name = rng.choice(others) if rng.random() < min(0.5, 0.1 * len(others)) else "plain"
    return name, SPELLINGS[name](rng, entity, text)
