# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``evaluate --bundle BUNDLE --images DIR --labels labels.csv``: any bundle, measured on photos of one's own."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_checkpoints import TINY, export
from clip_originals import pictures
from clip_world import head_file

from clip_decoder.__main__ import main
from clip_decoder.bundle.scoring import scores, standardised_cosine
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.data.images import scale

COUNT = 40
NAMES = ("dog", "cat", "lighthouse")  # the last one is not in the vocabulary


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(8)
    rows = ["image,labels"]
    for number, picture in enumerate(pictures(COUNT, 48)):
        cv2.imwrite(str(folder / f"{number}.png"), picture[:, :, ::-1])
        rows.append(f"{number}.png," + "|".join(name for name in NAMES if generator.random() < 0.4))
    (folder / "broken.png").write_bytes(b"not a picture")
    rows.append("broken.png,dog")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module", params=["class token", "patches", "head"])
def bundle(request, photos, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    checkpoint = TINY["open_clip ViT"](folder)
    head_file(folder / "head.pt", checkpoint.features, checkpoint.labels)
    options = {
        "class token": [],
        "patches": ["--score-by", "patches"],
        "head": ["--head", str(folder / "head.pt")],
    }[request.param]
    return export(checkpoint, folder / "bundle", "--reference", str(photos), *options)


def evaluate(*options: str) -> int:
    return main(["evaluate", *options])


def test_tags_should_be_counted_as_the_runtime_gives_them(bundle, photos, tmp_path, capsys):
    vocabulary = (bundle / "vocabulary.csv").read_text().replace("id,name\n", "id,name,threshold\n")
    (bundle / "vocabulary.csv").write_text(vocabulary.replace("cat,cat\n", "cat,cat,0.05\n").replace("dog,dog\n", "dog,dog,\n"))
    options = ["--bundle", str(bundle), "--images", str(photos), "--labels", str(photos / "labels.csv")]
    assert evaluate(*options, "--output", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "40 photos, 3 labels; 1 photos do not decode." in printed
    assert printed.strip().endswith((tmp_path / "report.md").read_text().strip()[-40:])
    results = json.loads((tmp_path / "results.json").read_text())

    served = ServedBundle(bundle)
    pixels = np.stack([scale(picture, 32, 32) for picture in pictures(COUNT, 48)])
    tokens, embeddings = served.run(pixels)
    truth = [line.split(",")[1].split("|") for line in (photos / "labels.csv").read_text().splitlines()[1:-1]]
    for found in results["tags"]:
        labels = served.label_vectors(served.text_encoder(), [{"name": found["label"]}])
        z = standardised_cosine(embeddings, labels, served.reference)
        logits = None if tokens is None else served.logits(tokens, labels)
        threshold = 0.05 if found["label"] == "cat" else served.scoring.default_threshold
        tagged = scores(logits, z, served.scoring)[:, 0] >= threshold
        right = np.array([found["label"] in names for names in truth])
        assert (found["there"], found["tags"], found["right"]) == (right.sum(), tagged.sum(), (right & tagged).sum())
    assert {one["method"] for one in results["ranking"]} >= {"as served", "cosine"}


@pytest.mark.parametrize("name", ["bundle", "images", "labels"])
def test_what_is_missing_should_be_named(name, photos, tmp_path, capsys):
    (tmp_path / "bundle.json").write_text("{}")
    options = {"bundle": tmp_path, "images": photos, "labels": photos / "labels.csv"}
    given = [part for key, value in options.items() if key != name for part in (f"--{key}", str(value))]
    if name != "bundle":
        assert evaluate(*given) == 2
        assert f"evaluate needs --{name}" in capsys.readouterr().err
    assert evaluate(*given, f"--{name}", str(tmp_path / "nowhere")) == 2
    assert ("no bundle in" if name == "bundle" else "no such file or folder") in capsys.readouterr().err


EXISTING = ["--config", ".", "--data", ".", "--text", ".", "--work", "."]
MISTAKES = [
    ["export", "--clip", "nowhere", "--output", "bundle"],
    ["export", "--clip", ".", "--output", "bundle", "--template", "a photo"],
    ["evaluate", "--bundle", "nowhere", "--images", ".", "--labels", "labels.csv"],
    ["evaluate", *EXISTING, "--output", "report", "--bundle", "nowhere"],
    ["calibrate", *EXISTING],
    ["export", *EXISTING, "--checkpoint", "nowhere.pt", "--output", "bundle"],
    ["teach", *EXISTING, "--bundle", "nowhere", "--output", "taught"],
    ["time", "--bundle", "nowhere"],
    ["deviations", "--output", "report", "--seeds", "0"],
    ["train", "--config", "nowhere.toml", "--data", ".", "--text", ".", "--work", "."],
    ["reproduce", "nus-wide", "--data", "nowhere", "--clip", "."],
]


SLOW = {"torch", "transformers", "open_clip", "onnxruntime", "cv2", "numpy", "scipy", "matplotlib"}


def test_mistakes_in_options_should_be_found_before_anything_slow_is_imported(tmp_path):
    program = (
        "import sys\nfrom clip_decoder.__main__ import main\n"
        f"for mistake in {MISTAKES!r}:\n    assert main(mistake) == 2, mistake\n"
        f"assert not {SLOW!r} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == len(MISTAKES)
