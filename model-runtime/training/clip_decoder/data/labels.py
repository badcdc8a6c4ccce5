# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The label file of a bundle: what each label is called and which evidence in the training data speaks for it."""

import re
from dataclasses import dataclass
from pathlib import Path

FIELDS = 5


class LabelFileError(ValueError):
    """A label file that cannot be used; the message names file, line and what to change."""


@dataclass(frozen=True)
class LabelDefinition:
    """One label.

    ``captions``: words or phrases whose mention in a caption speaks for the label; ``synsets``: WordNet nouns whose
    ImageNet classes do; ``sources``: names of it in single-label sources; ``prompts``: what it is called in prompts.
    """

    id: str
    name: str
    section: str
    captions: tuple[str, ...]
    synsets: tuple[str, ...]
    sources: tuple[str, ...]
    prompts: tuple[str, ...]


# What has no article before it: names of stuff and of several things, and activities. Rules find the other articles.
BARE = frozenset(
    ["glasses", "sunglasses", "jeans", "shoes", "boots", "snow", "grass", "leaves", "autumn", "sand", "water", "mud", "dirt", "ice", "sky", "clouds", "night", "fog", "rain", "fire", "fireworks", "smoke", "bubbles", "graffiti", "stairs", "headphones", "scissors", "jewelry", "food", "fruit", "corn", "broccoli", "bread", "pasta", "soup", "meat", "coffee", "tea", "wine", "beer", "money", "text", "christmas", "halloween", "furniture", "indoors", "soccer", "football", "basketball", "baseball", "tennis", "volleyball", "rugby", "hockey", "golf", "arts", "boxing", "gymnastics", "skis", "people", "cream", "running", "jumping", "walking", "sitting", "swimming", "diving", "climbing", "hiking", "dancing", "singing", "eating", "drinking", "sleeping", "reading", "playing", "kissing", "fishing", "skiing", "snowboarding", "skateboarding", "surfing", "cycling", "riding", "skating", "racing", "kayaking", "rafting", "motocross", "sledding", "camping"]
)
ENDS_IN = frozenset(("people", "sky", "fruit"))  # a crowd of people, an orange fruit
VOWELS = "aeiou"
CONSONANT_SOUNDS = ("uni", "eu", "one", "use")


def with_article(noun: str) -> str:
    """``an airplane``, ``a uniform``, ``snow``: the noun as it stands in a sentence."""
    last = noun.split()[-1]
    if noun in BARE or (last in BARE and last not in ENDS_IN):
        return noun
    vowel = noun[0].lower() in VOWELS and not noun.startswith(CONSONANT_SOUNDS)
    return f"{'an' if vowel else 'a'} {noun}"


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def read_labels(path: Path) -> list[LabelDefinition]:
    """Reads ``name ; captions ; synsets ; sources ; prompts`` lines; a ``#`` line names the section that follows it.

    Raises LabelFileError for a wrong number of fields, an empty name, or a name given twice.
    """
    labels: list[LabelDefinition] = []
    seen: dict[str, int] = {}
    section = ""
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        if line.startswith("#"):
            section = line.lstrip("# ").strip()
            continue
        fields = [field.strip() for field in line.split(";")]
        if len(fields) != FIELDS:
            raise LabelFileError(f"{path}:{number}: {len(fields)} fields, expected {FIELDS} separated by ';'")
        name = fields[0]
        if not name:
            raise LabelFileError(f"{path}:{number}: the label has no name")
        if slug(name) in seen:
            raise LabelFileError(f"{path}:{number}: {name!r} is already defined on line {seen[slug(name)]}")
        seen[slug(name)] = number
        captions = (name,) if fields[1] == "=" else _terms(fields[1])
        labels.append(
            LabelDefinition(
                slug(name), name, section, captions, _terms(fields[2]), _terms(fields[3]), _terms(fields[4]) or (name,)
            )
        )
    if not labels:
        raise LabelFileError(f"{path}: no labels in it")
    return labels


def _terms(field: str) -> tuple[str, ...]:
    return () if field == "-" else tuple(term.strip() for term in field.split("|") if term.strip())
