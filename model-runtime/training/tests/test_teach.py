# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Words taught to a finished bundle: what is read, fitted and added to its decoder graph."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from clip_decoder import commands
from clip_decoder.bundle.graphs import check_independence, open_graph
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.bundle.word_heads import WordHeads, add_heads, features, rows_of
from clip_decoder.config import read_config
from clip_decoder.data.labels import LabelFileError
from clip_decoder.data.scenery import Scenery, read_scenery
from clip_decoder.errors import ConfigError
from clip_decoder.measure import BundleMeasurement, judged_scenery
from clip_decoder.prepared import open_prepared
from clip_decoder.teach import fit_heads, gains, lowest_threshold

WORD = "bright"


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def config(config_file, tmp_path_factory):
    """The miniature's configuration with judged photos: the even ones are bright, every tenth is unclear."""
    folder = tmp_path_factory.mktemp("scenery")
    rows = [f"{n:03d}.png,{'' if n % 2 or n % 10 == 0 else WORD},{WORD if n % 10 == 0 else ''}" for n in range(60)]
    (folder / "scenery.csv").write_text("\n".join(["image,present,unsure", *rows]))
    path = folder / "tiny.toml"
    path.write_text(config_file.read_text().replace("views = 2", 'views = 2\nscenery = "scenery.csv"'))
    return path


@pytest.fixture(scope="module")
def exported(bundle, tmp_path_factory):
    """A bundle as it was exported, with a vocabulary of two."""
    output = Path(shutil.copytree(bundle, tmp_path_factory.mktemp("exported") / "bundle"))
    with open(output / "vocabulary.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["id", "name", "prompts", "threshold", "state"], [WORD, WORD, "", 0.9, ""], ["red", "red", "", 0.6, ""]])
    return output


def test_scenery_should_be_read_and_mistakes_named_with_their_line(tmp_path):
    path = tmp_path / "scenery.csv"
    path.write_text("image,present,unsure\na.jpg,sky|tree,\nb.jpg,,sky\n")
    found = read_scenery(path)
    assert found.images == ["a.jpg", "b.jpg"] and found.words == ["sky", "tree"]
    assert found.present.tolist() == [[True, True], [False, False]]
    assert found.known.tolist() == [[True, True], [False, True]]
    assert found.columns(["tree"]).photos(np.array([False, True])).images == ["b.jpg"]
    for text, message in (
        ("image,present\na.jpg,sky\n", "scenery.csv:2: expected the columns image,present,unsure"),
        ("image,present,unsure\na.jpg,sky,sky\n", "scenery.csv:2: both present and unsure: sky"),
        ("image,present,unsure\na.jpg,sky,\na.jpg,,\n", "scenery.csv:3: a.jpg is given twice"),
    ):
        path.write_text(text)
        with pytest.raises(LabelFileError, match=message):
            read_scenery(path)


@pytest.mark.parametrize(("name", "photos", "words"), [("scenery", 475, 24), ("indoors", 817, 83)])
def test_the_kits_own_judgements_should_be_read_with_every_word(name, photos, words):
    found = read_scenery(Path(__file__).parents[1] / "configs" / f"everyday_{name}.csv")
    assert (len(found.images), len(found.words)) == (photos, words)
    assert found.present.any(0).all()


def test_features_should_be_the_means_of_all_patches_and_of_the_upper_rows():
    tokens = np.arange(10, dtype=np.float32)[None, :, None]  # nine patches, then a token that is not a patch
    assert rows_of(10) == (9, 3)
    assert features(tokens).tolist() == [[4.0, 1.0]]


def test_heads_should_find_what_is_there_and_leave_unclear_photos_out():
    generator = np.random.default_rng(5)
    inputs = generator.normal(size=(300, 6)).astype(np.float32)
    present = (inputs[:, :1] > 0.5) | (generator.random((300, 1)) < 0.02)
    known = generator.random((300, 1)) < 0.8
    scenery = Scenery([str(n) for n in range(300)], ["sky"], np.where(known, present, ~present), known)
    before = np.full((300, 1), -5.0)  # ranks nothing, and far too low
    found = fit_heads(inputs, before, scenery, np.random.default_rng(0))
    after = 1 / (1 + np.exp(-(before + inputs @ found.weights.T + found.biases)))
    assert ((after > 0.5) == present)[~known].mean() > 0.9
    assert found.left_out[known].mean() == pytest.approx(present[known].mean(), abs=0.05)


@pytest.mark.parametrize(
    "right,expected",
    [([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0.3), ([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 0.45), ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.65)],
)
def test_threshold_should_be_the_lowest_with_the_wanted_precision_while_there_are_tags_to_tell(right, expected):
    scores = np.array([0.32, 0.36, 0.41, 0.44, 0.47, 0.6, 0.62, 0.7, 0.8, 0.9])
    assert lowest_threshold(scores, np.array(right), 0.3, 0.8) == expected


def test_a_word_that_is_never_right_should_have_no_threshold():
    assert lowest_threshold(np.full(10, 0.99), np.zeros(10), 0.3, 0.8) is None


def test_a_head_should_be_worth_it_where_scores_come_nearer_and_the_ranking_stays():
    right = np.array([True, True, False, False])
    low = np.array([-4.0, -4.5, -6.0, -7.0])
    assert gains(low, np.array([0.8, 0.7, 0.2, 0.1]), right)
    assert not gains(low, np.array([0.6, 0.4, 0.5, 0.1]), right)  # better scores, worse ranking
    assert not gains(np.array([2.0, 2.0, -2.0, -2.0]), np.array([0.9, 0.88, 0.12, 0.12]), right)  # hardly better


def test_heads_should_add_to_their_own_word_and_to_no_other(exported, tmp_path):
    generator = np.random.default_rng(2)
    bundle = ServedBundle(exported)
    image = bundle.description["image"]
    tokens = generator.normal(size=(3, image["tokens"], image["tokenWidth"])).astype(np.float32)
    labels = unit(generator.normal(size=(5, image["embeddingSize"])))
    own = unit(labels[1] + 0.05 * labels[0])  # near, but not the same
    heads = WordHeads(labels[1:2], generator.normal(size=(1, 2 * image["tokenWidth"])).astype(np.float32), np.ones(1))
    add_heads(exported / "decoder.onnx", heads, image["tokens"], tmp_path / "decoder.onnx")
    asked = np.concatenate([labels, own[None]])
    feed = {"tokens": tokens, "labels": asked}
    found = open_graph(tmp_path / "decoder.onnx").run(None, feed)[0] - bundle.logits(tokens, asked)
    assert np.abs(found - heads.added(tokens, asked)).max() < 1e-4
    assert np.abs(found[:, [0, 2, 3, 4]]).max() < 1e-5 and np.abs(found[:, [1, 5]]).min() > 0.01
    check_independence(tmp_path / "decoder.onnx", feed, "tokens", 0)
    check_independence(tmp_path / "decoder.onnx", feed, "labels", 1)
    with pytest.raises(ValueError, match="has word heads already"):
        add_heads(tmp_path / "decoder.onnx", heads, image["tokens"], tmp_path / "again.onnx")


def test_teaching_should_raise_a_words_scores_where_it_is_there_and_change_nothing_else(config, folders, exported, tmp_path):
    taught = commands.teach(config, folders, "cpu", exported, tmp_path / "taught")
    assert taught.words == [WORD]
    before, after = ServedBundle(exported), ServedBundle(tmp_path / "taught")
    for name in ("image_encoder.onnx", "reference_embeddings.f32", "text_center.f32"):
        assert (tmp_path / "taught" / name).read_bytes() == (exported / name).read_bytes()
    own = taught.thresholds[WORD]
    written = "" if own == before.scoring.default_threshold else str(own)
    assert [row["threshold"] for row in after.vocabulary()] == [written, "0.6"]
    assert after.description["version"] == read_config(config).bundle.version
    assert after.description["decoder"]["addedRows"] == before.description["decoder"]["addedRows"]

    prepared = open_prepared(config, folders, "cpu")
    tested = judged_scenery(prepared, learned=False)
    rows = np.array([prepared.data.images.names.index(name) for name in tested.images])
    names = prepared.data.labels.names
    scores = [
        BundleMeasurement.open(prepared, one).scores(rows, prepared.served_labels()).by_method["blend"]
        for one in (before, after)
    ]
    others = [column for column, name in enumerate(names) if name != WORD]
    assert np.abs(scores[0][:, others] - scores[1][:, others]).max() < 1e-4
    word = scores[1][:, names.index(WORD)]
    known, present = tested.known[:, 0], tested.present[:, 0]
    assert word[known & present].min() > word[known & ~present].max()


def test_a_bundles_files_should_be_measured_as_they_serve(config, folders, exported, tmp_path):
    commands.evaluate(config, folders, "cpu", folders.work / "none.pt", tmp_path, exported)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["scenery"][0]["word"] == WORD
    assert results["scenery"][0]["there"] == 5  # every second of twelve test photos, less the unclear one
    assert "| blend |" in (tmp_path / "report.md").read_text()


def test_teaching_without_judged_photos_should_name_the_key(config_file, folders, exported, tmp_path):
    with pytest.raises(ConfigError, match="data.scenery names no file"):
        commands.teach(config_file, folders, "cpu", exported, tmp_path)
