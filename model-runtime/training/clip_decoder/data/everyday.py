# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The default bundle's data: captioned photos, scenes and single-object photos under one label space.

Layout of the data folder: ``flickr8k/captions.csv`` (image,caption), ``scenes/labels.csv`` (image,label),
``objects/labels.csv`` (image,label,source), each beside its images (files or tar archives). Caltech-101 is never trained
on: it serves as the check on another source.
"""

import csv
from pathlib import Path

import numpy as np

from clip_decoder.config import DataConfig, TextConfig
from clip_decoder.data.captions import frequent_words, phrases, read_captions, with_plurals
from clip_decoder.data.dataset import CALIBRATE, TEST, TRAIN, LabelledImages, LabelSpace, ListedImages
from clip_decoder.data.evidence import (
    Evidence,
    caption_evidence,
    human_labels,
    label_classes,
    single_label_evidence,
    teacher_evidence,
)
from clip_decoder.data.judged import read_people
from clip_decoder.data.labels import LabelDefinition, read_labels, slug, with_article
from clip_decoder.data.wordnet import WordNet
from clip_decoder.text import TextEncoder, fill_templates

SOURCES = ("flickr8k", "scenes", "caltech101", "imagenet-samples", "tiny-imagenet-64px")
# (test, calibration) shares by source; the rest trains.
SHARES = {
    "flickr8k": (0.125, 0.075),
    "scenes": (0.4, 0.1),
    "caltech101": (0.75, 0.25),
    "imagenet-samples": (0.0, 0.1),
    "tiny-imagenet-64px": (0.0, 0.03),
}
MOST_CLASSES_BELOW = 300
SENTENCES = 5
FUNCTION_WORDS = frozenset(
    ["was", "were", "been", "being", "has", "have", "had", "having", "does", "doing", "did", "with", "and", "the", "that", "this", "these", "those", "its", "his", "her", "their", "him", "them", "into", "onto", "over", "under", "from", "some", "another", "while", "which", "what", "who", "are", "for", "not", "but", "off", "out", "also", "one", "two", "three", "four", "five", "six", "seven", "eight", "several", "many", "few", "very", "whilst", "through", "near", "next", "front", "behind", "beside", "between", "during", "after", "before", "back", "side", "something", "someone", "each", "both", "other", "others", "make", "makes", "making", "taking", "takes", "take", "way", "using", "use", "uses", "appears", "seems", "seem", "going", "gone", "goes", "about", "around", "along", "across", "against", "away", "down", "toward", "towards", "top", "bottom", "middle", "can", "get", "gets"]
)


class EverydaySources:
    """The names, labels and captions in a data folder, before any image is read."""

    def __init__(self, directory: Path):
        self.captions = read_captions(directory / "flickr8k" / "captions.csv")
        self.labels: dict[str, str] = {}
        self.sources: dict[str, str] = dict.fromkeys(self.captions, "flickr8k")
        for row in _rows(directory / "scenes" / "labels.csv"):
            self.labels[row["image"]] = row["label"]
            self.sources[row["image"]] = "scenes"
        for row in _rows(directory / "objects" / "labels.csv"):
            self.labels[row["image"]] = row["label"]
            self.sources[row["image"]] = row["source"]
        self.names = sorted(self.sources)

    def labels_of(self, names: list[str]) -> list[str]:
        """The names that single-label sources give these photos."""
        return [self.labels[name] for name in names]

    def called(self, source: str) -> set[str]:
        """Every name that one single-label source gives its photos; ValueError for an unknown source."""
        if source not in SOURCES[1:]:
            raise ValueError(f"no single-label source {source!r}; known are {', '.join(SOURCES[1:])}")
        return {label for name, label in self.labels.items() if self.sources[name] == source}

    def classes(self) -> list[int]:
        """The 1,000 ImageNet classes as WordNet offsets, in the order of a classifier's outputs."""
        return sorted({imagenet_class(name) for name in self.names if self.sources[name] == "imagenet-samples"})


def imagenet_class(name: str) -> int:
    """``imagenet_n01440764.jpg`` or ``tiny_n01440764_12.jpg`` -> 1440764"""
    return int(name.split("_")[1].removesuffix(".jpg").removeprefix("n"))


def list_everyday(sources: EverydaySources, names: list[str], seed: int) -> ListedImages:
    """names: all readable images; their order determines the splits."""
    source = np.array([SOURCES.index(sources.sources[name]) for name in names])
    return ListedImages(names, SOURCES, source, _split(source, seed))


def build_everyday(
    sources: EverydaySources,
    listed: ListedImages,
    probabilities: np.ndarray,
    label_file: Path,
    wordnet: WordNet,
    text: TextEncoder,
    data: DataConfig,
    text_config: TextConfig,
) -> tuple[LabelledImages, LabelSpace, np.ndarray]:
    """Images, label space and the classes' text vectors [1000, D] (uncentred).

    probabilities [N, 1000]: the teacher's, in the order of ``listed``.
    """
    names, source = listed.names, listed.sources
    published = read_labels(label_file)
    classes = sources.classes()
    seen_published = draw_seen(published, data, sources)
    kept_away = [label for label, is_seen in zip(published, seen_published, strict=True) if not is_seen]
    forbidden = with_plurals(term for label in kept_away for term in (label.name, *label.captions))
    if data.unseen_source:
        forbidden |= with_plurals(sources.called(data.unseen_source))
    extra, extra_classes = _extra_labels(published, forbidden, sources, classes, wordnet, data.extra_word_minimum)
    space = [*published, *extra]
    covered = np.concatenate([label_classes(published, wordnet, classes), extra_classes])
    groups = np.array([0] * len(published) + [1 if label.section == "imagenet" else 2 for label in extra])

    teacher = teacher_evidence(probabilities, covered, data.evidence)
    targets, weights = teacher.targets.copy(), teacher.weights.copy()

    captioned = np.flatnonzero(source == 0)
    evidence = caption_evidence(
        [sources.captions[names[row]] for row in captioned], space, _rows_of(teacher, captioned), data.evidence
    )
    targets[captioned], weights[captioned] = evidence.targets, evidence.weights

    single = np.flatnonzero(source != 0)
    positives, people = _single_positives(sources, names, single, space, covered, classes)
    people |= np.isin(names, _with_people(label_file.parent, data, sources))[single]
    evidence = single_label_evidence(positives, space, _rows_of(teacher, single), people, data.evidence)
    targets[single], weights[single] = evidence.targets, evidence.weights

    vectors = np.stack([_renditions(label, text, text_config) for label in space])
    seen = np.concatenate([seen_published, np.ones(len(extra), bool)])
    sentences = _sentences(sources, listed, text, forbidden)
    images = LabelledImages(names, SOURCES, source, listed.splits, targets, weights, sentences)
    # The classes include a groom and a ball player, but that does not let the teacher tell where there is no man.
    human = human_labels(space, data.evidence)
    attested = covered.any(1) & ~human
    label_space = LabelSpace([label.name for label in space], vectors, groups, seen, attested, human)
    # Each class is represented by the narrowest label above it: its own name where it has one.
    narrowest = np.where(covered, covered.sum(1, keepdims=True), np.iinfo(np.int64).max).argmin(0)
    return images, label_space, vectors[narrowest, 1]


def published_prompts(label: LabelDefinition) -> list[str]:
    """The prompts that the vocabulary states; none where the templates make correct English of the name.

    The first wording in a sentence and alone, and the second alone. More prompts moved label vectors by a cosine of
    0.02 on average, and every one of them lengthens a worker's start.
    """
    first = with_article(label.prompts[0])
    if label.prompts == (label.name,) and first == f"a {label.name}":
        return []
    return [f"a photo of {first}.", *label.prompts[:2]]


def _renditions(label: LabelDefinition, text: TextEncoder, config: TextConfig) -> np.ndarray:
    """[V, D]: as published, by templates, the bare name, and the last synonym both ways: training sees all of them."""
    last = label.prompts[-1]
    templates = config.training_templates or config.templates
    prompts = [
        published_prompts(label) or fill_templates(label.name, config.templates),
        fill_templates(label.name, templates),
        [label.name],
        fill_templates(last, templates),
        [last],
    ]
    return np.stack([text.label_vector(one) for one in prompts])


def _extra_labels(
    published: list[LabelDefinition],
    forbidden: set[str],
    sources: EverydaySources,
    classes: list[int],
    wordnet: WordNet,
    minimum: int,
) -> tuple[list[LabelDefinition], np.ndarray]:
    """Labels that train but are not published: ImageNet's classes and what is above them, and frequent caption words."""
    ancestors = [wordnet.ancestors(synset) for synset in classes]
    used = {label.name.lower() for label in published} | forbidden
    extra: list[LabelDefinition] = []
    covered: list[np.ndarray] = []
    for synset in sorted({ancestor for above in ancestors for ancestor in above}):
        below = np.array([synset in above for above in ancestors])
        words = tuple(word.lower() for word in wordnet.words(synset))
        if below.sum() < MOST_CLASSES_BELOW and words[0] not in used:
            used.add(words[0])
            extra.append(LabelDefinition(slug(words[0]), words[0], "imagenet", (), (str(synset),), (), words[:2]))
            covered.append(below)
    for word in frequent_words(sources.captions.values(), minimum):
        known = word in used or word.rstrip("s") in used or word in FUNCTION_WORDS
        if len(word) > 2 and not known and (wordnet.senses(word) or word.endswith("ing")):
            used.add(word)
            extra.append(LabelDefinition(slug(word), word, "caption", (word,), (), (), (word,)))
            covered.append(np.zeros(len(classes), bool))
    return extra, np.stack(covered) if covered else np.zeros((0, len(classes)), bool)


def _single_positives(
    sources: EverydaySources,
    names: list[str],
    rows: np.ndarray,
    space: list[LabelDefinition],
    covered: np.ndarray,
    classes: list[int],
) -> tuple[np.ndarray, np.ndarray]:
    """What each single-label image certainly shows, bool [R, L]; and whether people may be in it too, bool [R]."""
    by_name: dict[str, list[int]] = {}
    for index, label in enumerate(space):
        for name in label.sources:
            by_name.setdefault(name, []).append(index)
    class_index = {synset: index for index, synset in enumerate(classes)}
    positives = np.zeros((len(rows), len(space)), bool)
    people = np.zeros(len(rows), bool)
    for position, row in enumerate(rows):
        source, label = sources.sources[names[row]], sources.labels[names[row]]
        if source in ("scenes", "caltech101"):
            positives[position, by_name.get(label, [])] = True
            people[position] = label == "street" or "face" in label
        else:
            positives[position] = covered[:, class_index[imagenet_class(names[row])]]
            people[position] = source == "imagenet-samples"
    return positives, people


def _with_people(directory: Path, data: DataConfig, sources: EverydaySources) -> list[str]:
    """The photos of ``data.people``, if there is one."""
    found = sorted(read_people(directory / data.people)) if data.people else []
    unknown = [name for name in found if name not in sources.sources]
    if unknown:
        raise ValueError(f"{data.people}: no such image in the data: {', '.join(unknown[:5])}")
    return found


def draw_seen(labels: list[LabelDefinition], data: DataConfig, sources: EverydaySources) -> np.ndarray:
    """Which of the labels [L] a configuration leaves to training, bool."""
    seen = np.ones(len(labels), bool)
    if data.unseen_share > 0:
        shuffled = np.random.default_rng(data.label_split_seed).permutation(len(labels))
        seen[shuffled[: round(len(labels) * data.unseen_share)]] = False
    if data.unseen_source:
        kept = with_plurals(sources.called(data.unseen_source))
        seen &= np.array([not kept & with_plurals([label.name, *label.prompts]) for label in labels])
    return seen


def _sentences(sources: EverydaySources, listed: ListedImages, text: TextEncoder, forbidden: set[str]) -> np.ndarray:
    """Of training images only. Captions that name an unseen label are left out: training would see it through them."""
    sentences = np.zeros((len(listed.names), SENTENCES, text.size), np.float16)
    for row in listed.rows(None, TRAIN):
        name = listed.names[row]
        if name in sources.captions:
            captions = [one for one in sources.captions[name] if not phrases(one) & forbidden] or ["a photo."]
            sentences[row] = [text.encode(captions[number % len(captions)]) for number in range(SENTENCES)]
        else:
            sentences[row] = text.encode(f"a photo of a {sources.labels[name]}.")
    return sentences


def _split(source: np.ndarray, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed).random(len(source))
    splits = np.full(len(source), TRAIN, np.int8)
    for index, name in enumerate(SOURCES):
        test, calibration = SHARES[name]
        own = source == index
        splits[own & (draw < test + calibration)] = CALIBRATE
        splits[own & (draw < test)] = TEST
    return splits


def _rows_of(evidence: Evidence, rows: np.ndarray) -> Evidence:
    return Evidence(evidence.targets[rows], evidence.weights[rows])


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
