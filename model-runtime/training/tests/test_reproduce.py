# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``reproduce nus-wide`` as printed, on the data set in miniature and a tiny CLIP with random weights."""

import functools
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from clip_world import TINY_RESNET, TINY_VIT, open_clip_directory
from nus_wide_world import SHOWN, TAGS, Miniature, rewrite, write_nus_wide

from clip_decoder import blend
from clip_decoder.__main__ import main
from clip_decoder.calibration import write_calibration
from clip_decoder.clip import export, trainable
from clip_decoder.commands import train_prepared
from clip_decoder.config import read_config
from clip_decoder.data import multi_label
from clip_decoder.data.dataset import CALIBRATE, TEST
from clip_decoder.pipeline import Folders
from clip_decoder.prepared import open_prepared
from clip_decoder.reproduce import GZSL, ZSL
from clip_decoder.text import TextEncoder

KIT = Path(__file__).parents[1]
SMALL = {
    "steps = 21400": "steps = 80",
    "images_per_source = { images = 56 }": "images_per_source = { images = 16 }",
    "width = 768": "width = 32",
    "hidden = 2048": "hidden = 64",
    "head_rate = 1e-4": "head_rate = 1e-2",
    "backbone_rate = 1e-4": "backbone_rate = 3e-3",
}


def small(path: Path, **changes: str) -> Path:
    """The paper's configuration, smaller; ``changes``: lines by key."""
    text = (KIT / "configs" / "paper.toml").read_text()
    for line, replaced in SMALL.items():
        assert line in text
        text = text.replace(line, replaced)
    for key, value in changes.items():
        text = "\n".join(f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in text.splitlines())
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Miniature:
    return write_nus_wide(tmp_path_factory.mktemp("nus-wide"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return open_clip_directory(tmp_path_factory.mktemp("clip"), TINY_VIT)


@pytest.fixture(scope="module", autouse=True)
def towers_read_once():
    """Every run begins with the same checkpoint's towers, which it copies: they are read once, and exported once."""
    write, written = trainable.write_text_tower, {}

    def write_once(towers, folder):
        if folder not in written:
            written[folder] = write(towers, folder)
        return written[folder]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "load_towers", functools.cache(export.load_towers))
        patch.setattr(trainable, "write_text_tower", write_once)
        yield


@pytest.fixture(scope="module")
def report(world, checkpoint, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reproduced")
    options = ["--clip", str(checkpoint), "--config", str(small(folder / "small.toml")), "--device", "cpu"]
    output = folder / "report"
    work = ["--work", str(folder / "work"), "--output", str(output)]
    assert main(["reproduce", "nus-wide", "--data", str(world.folder), *options, *work]) == 0
    print((output / "report.md").read_text())
    return output


def results(report: Path) -> dict[str, dict[str, dict]]:
    found = json.loads((report / "results.json").read_text())
    return {title: {one["method"]: one for one in found[title]} for title in found}


def test_the_table_should_have_every_method_beside_the_published_ones(report):
    text = (report / "report.md").read_text()
    for line in ("ML-Decoder (2021) | 31.1", "ML-Decoder (2021) | 19.9", "DualCoOp++ (2023) | 47.1"):
        assert f"| published: {line} |" in text
    for title in (ZSL, GZSL):
        methods = results(report)[title]
        assert set(methods) == {
            "this model, decoder",
            "this model, as served",
            "this model, cosine",
            "plain CLIP, class token",
            "plain CLIP, patch tokens",
        }
    assert "60 test images, 52 of them with a label" in text


def test_map_should_be_over_all_labels_with_a_positive(report):
    assert results(report)[ZSL]["this model, decoder"]["labels"] == len(SHOWN)
    # beside them the tags, among which "cat" does not count twice
    assert results(report)[GZSL]["this model, decoder"]["labels"] == len(SHOWN) + len(TAGS)


def test_training_should_have_learned_the_seen_tags(report):
    tags = results(report)[GZSL]["this model, decoder"]["mean_average_precision"]
    assert tags > results(report)[GZSL]["this model, decoder"]["chance"] + 0.05


def own_average_precision(scores: list[float], right: list[bool]) -> float:
    """For scores without ties: the mean, over positives, of the precision down to each."""
    ranked = [is_right for _, is_right in sorted(zip(scores, right, strict=True), reverse=True)]
    precisions = [sum(ranked[: place + 1]) / (place + 1) for place, is_right in enumerate(ranked) if is_right]
    return sum(precisions) / len(precisions)


def own_f1(scores: list[list[float]], right: list[list[bool]], k: int, labelled_only: bool) -> float:
    hits = given = there = 0
    for row, truth in zip(scores, right, strict=True):
        if labelled_only and not any(truth):
            continue
        best = sorted(range(len(row)), key=lambda label: -row[label])[:k]
        hits += sum(truth[label] for label in best)
        given += k
        there += sum(truth)
    return 2 * hits / (given + there)


def test_figures_should_be_those_of_the_exported_files_by_an_independent_implementation(report, world):
    """From bundle and data files alone: ONNX Runtime, OpenCV and the two functions above."""
    bundle = report / "bundle"
    about = json.loads((bundle / "bundle.json").read_text())
    size = about["image"]["size"]
    pictures = [cv2.imread(str(world.folder / "Flickr" / name))[:, :, ::-1] for name in world.images["Test"]]
    pixels = np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures])
    text = TextEncoder(bundle / "text_encoder.onnx", bundle / "tokenizer.json", about["text"]["maxTokens"], "NONE")
    # the labels that no test image shows do not count for mAP; for F1 they compete
    vocabulary = [line.split(",")[1] for line in (bundle / "vocabulary.csv").read_text().splitlines()[1:]]
    assert len(vocabulary) == 1006
    labels = np.stack([text.label_vector([f"a photo of a {name}."]) for name in vocabulary])
    image_encoder = onnxruntime.InferenceSession(str(bundle / "image_encoder.onnx"))
    tokens, _ = image_encoder.run(None, {"pixels": pixels})
    decoder = onnxruntime.InferenceSession(str(bundle / "decoder.onnx"))
    logits = decoder.run(None, {"tokens": tokens, "labels": labels})[0]
    shown = [*TAGS, *SHOWN]
    truth = np.zeros(logits.shape, bool)
    truth[:, [vocabulary.index(name) for name in shown]] = world.shows["Test"]
    unseen = np.arange(len(vocabulary)) >= 925
    for title, chosen in ((ZSL, unseen), (GZSL, np.ones(len(vocabulary), bool))):
        scores, right = logits[:, chosen].tolist(), truth[:, chosen].tolist()
        given = results(report)[title]["this model, decoder"]
        positive = np.flatnonzero(np.any(right, 0))
        precisions = [
            own_average_precision([row[label] for row in scores], [row[label] for row in right]) for label in positive
        ]
        assert given["mean_average_precision"] == pytest.approx(np.mean(precisions), abs=0.01)
        for k in (3, 5):
            assert given[f"f1_at_{k}"] == pytest.approx(own_f1(scores, right, k, True), abs=0.01)
            assert given[f"f1_at_{k}_all_images"] == pytest.approx(own_f1(scores, right, k, False), abs=0.01)
            assert given[f"f1_at_{k}"] >= given[f"f1_at_{k}_all_images"]


def test_the_bundle_should_serve_the_papers_model(report):
    about = json.loads((report / "bundle" / "bundle.json").read_text())
    assert about["scoring"]["cosineWeight"] == 0 < about["scoring"]["decoderWeight"]
    assert "center" not in about["text"] and about["image"]["tokens"] == 16 + 1  # patches and class token


def test_a_second_run_should_not_train_again(report, world, checkpoint, capsys):
    folder = report.parent
    options = ["--clip", str(checkpoint), "--config", str(folder / "small.toml"), "--device", "cpu"]
    work = ["--work", str(folder / "work"), "--output", str(folder / "again")]
    assert main(["reproduce", "nus-wide", "--data", str(world.folder), *options, *work]) == 0
    assert "resumed at step 80 of 80" in capsys.readouterr().out
    assert (folder / "again" / "results.json").read_text() == (report / "results.json").read_text()


def test_a_resnet_should_lose_its_attention_pooling_and_keep_learning(world, tmp_path):
    """RN50's form: the mean of its features, projected anew; all weights learn, batch norm's statistics too."""
    checkpoint = open_clip_directory(tmp_path / "rn", TINY_RESNET)
    config = small(tmp_path / "small.toml", steps="3")
    folders = Folders(world.folder, None, tmp_path / "work", clip=checkpoint)
    prepared = open_prepared(config, folders, "cpu")
    before = {name: value.clone() for name, value in prepared.model.state_dict().items()}
    assert not any("attnpool" in name for name in before)
    train_prepared(prepared, tmp_path, False)
    same = [name for name, value in prepared.model.state_dict().items() if torch.equal(value, before[name])]
    # the cosine branch is switched off in the paper's configuration
    assert set(same) == {"cosine_log_scale", "cosine_bias"}


# --- no leak ---


def learned(world: Miniature, checkpoint: Path, folder: Path) -> dict[str, bytes]:
    """All that training and calibration leave behind."""
    config = small(folder / "small.toml", steps="4", cosine_weight="1.0", blended="true", centred="true")
    # beside the checkpoint, so that texts are encoded once for all runs
    prepared = open_prepared(config, Folders(world.folder, None, checkpoint / "work", clip=checkpoint), "cpu")
    train_prepared(prepared, folder, False)
    calibration, reference = blend.calibrate(prepared.load(folder / "checkpoint.pt"))
    write_calibration(folder / "calibration.json", calibration)
    average = torch.load(folder / "checkpoint.pt", weights_only=True)["average"]
    return {
        "weights": b"".join(value.numpy().tobytes() for value in average.values()),
        "center": prepared.data.center.tobytes(),
        "calibration": (folder / "calibration.json").read_bytes(),
        "reference": reference.embeddings.tobytes() + reference.tokens.tobytes() + reference.labels.tobytes(),
    }


@pytest.fixture(scope="module")
def other(world, tmp_path_factory) -> Miniature:
    """The same data with other unseen labels on every image, the same seen ones and the same pixels."""
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(world.folder / "Flickr", folder / "Flickr")
    shows = {part: given.copy() for part, given in world.shows.items()}
    for given in shows.values():
        given[:, len(TAGS) :] = ~given[:, len(TAGS) :]
    made = Miniature(folder, world.images, shows)
    rewrite(made)
    return made


def test_no_unseen_label_should_reach_loss_calibration_or_threshold(world, other, checkpoint, tmp_path):
    """Whatever the images' unseen labels are, the same model and the same thresholds come out, bit for bit."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert learned(world, checkpoint, tmp_path / "a") == learned(other, checkpoint, tmp_path / "b")


def leak_sentences(monkeypatch) -> str:
    original = multi_label._sentences
    shown = {}

    def leaking(names, targets, text):
        rows = iter(shown["targets"])
        return original(names, np.stack([next(rows) for _ in targets]), text)

    build = multi_label.build_multi_label

    def building(annotations, *rest):
        shown["targets"] = annotations.targets[annotations.splits == 0]
        return build(annotations, *rest)

    monkeypatch.setattr(multi_label, "_sentences", leaking)
    monkeypatch.setattr("clip_decoder.pipeline.build_multi_label", building)
    return "weights"


def leak_targets(monkeypatch) -> str:
    build = multi_label.build_multi_label

    def building(annotations, *rest):
        images, space = build(annotations, *rest)
        images.targets[:], images.weights[:] = annotations.targets, 1
        space.seen = np.ones_like(space.seen)
        return images, space

    monkeypatch.setattr("clip_decoder.pipeline.build_multi_label", building)
    return "weights"


def leak_calibration(monkeypatch) -> str:
    build, calibrate = multi_label.build_multi_label, blend.calibrate
    kept = {}

    def building(annotations, *rest):
        kept["targets"] = annotations.targets
        return build(annotations, *rest)

    def calibrating(prepared):
        images, space = prepared.data.images, prepared.data.labels
        rows = images.splits != TEST
        images.targets[rows], images.weights[rows] = kept["targets"][rows], 1
        space.seen = np.ones_like(space.seen)
        return calibrate(prepared)

    monkeypatch.setattr("clip_decoder.pipeline.build_multi_label", building)
    monkeypatch.setattr(blend, "calibrate", calibrating)
    return "calibration"


def leak_thresholds(monkeypatch) -> str:
    build, calibrate = multi_label.build_multi_label, blend.calibrate
    kept = {}

    def building(annotations, *rest):
        kept["targets"] = annotations.targets
        return build(annotations, *rest)

    def calibrating(prepared):
        found, reference = calibrate(prepared)
        rows, unseen = prepared.data.images.rows(None, CALIBRATE), ~prepared.data.labels.seen
        logits, _ = prepared.predict(rows, prepared.served_labels()[unseen])
        return replace(found, threshold=float(np.median(logits[kept["targets"][rows][:, unseen]]))), reference

    monkeypatch.setattr("clip_decoder.pipeline.build_multi_label", building)
    monkeypatch.setattr(blend, "calibrate", calibrating)
    return "calibration"


@pytest.mark.parametrize("plant", [leak_sentences, leak_targets, leak_calibration, leak_thresholds])
def test_a_planted_leak_should_be_found(plant, world, other, checkpoint, tmp_path, monkeypatch):
    where = plant(monkeypatch)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    honest, leaking = learned(world, checkpoint, tmp_path / "a"), learned(other, checkpoint, tmp_path / "b")
    assert honest[where] != leaking[where]


@pytest.mark.parametrize("name", ["paper", "nus-wide"])
def test_configurations_should_be_read(name):
    config = read_config(KIT / "configs" / f"{name}.toml")
    assert config.data.kind == "nus-wide"
