"""Templates with blanks, filled."""

import re


def fill(dice, template, makers):
    text, entities = "", []
    for part in re.split(r"(\{\w\})", template):
        if not re.fullmatch(r"\{\w\}", part):
            text += part
            continue
        value, kind, rest = makers[part[1]](dice)
        # An address is several places, one after the other, as corpora mark them.
        for piece in value.split("|"):
            if kind:
                entities.append([len(text), len(text) + len(piece), kind])
            text += piece
        text += rest
    return text, entities
