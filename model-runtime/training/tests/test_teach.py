# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Words taught to a finished bundle: what is read, fitted and added to its decoder graph."""

import csv
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from clip_decoder import commands
from clip_decoder.bundle.graphs import check_independence, open_graph
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.bundle.word_heads import PoolingEncoder, WordHeads, add_heads, add_speakers, far_from, training_labels
from clip_decoder.config import read_config
from clip_decoder.data.class_probabilities import PlainClasses
from clip_decoder.data.exhaustive import KEPT, kept_fold, learned_and_kept, read_exhaustive
from clip_decoder.data.images import ImageStore
from clip_decoder.data.labels import LabelFileError
from clip_decoder.data.scenery import Scenery, combined, read_scenery
from clip_decoder.data.trunk_cache import build_trunk_cache
from clip_decoder.data.words import by_other_name, read_words
from clip_decoder.errors import ConfigError
from clip_decoder.measure import BundleMeasurement, judged_scenery, kept_results
from clip_decoder.pipeline import list_images, load_backbone, open_text_encoder
from clip_decoder.prepared import open_prepared
from clip_decoder.report import Report
from clip_decoder.teach import (
    UNPROVED,
    Policy,
    common_boost,
    fit_heads,
    gains,
    operating_point,
    shared_bias,
)

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
    more = read_scenery(path, ["cup", "sky"])  # judged as well, and seen in no photo
    assert more.words == ["cup", "sky", "tree"] and not more.present[:, 0].any() and more.known[:, 0].all()
    for text, message in (
        ("image,present\na.jpg,sky\n", "scenery.csv:2: expected the columns image,present,unsure"),
        ("image,present,unsure\na.jpg,sky,sky\n", "scenery.csv:2: both present and unsure: sky"),
        ("image,present,unsure\na.jpg,sky,\na.jpg,,\n", "scenery.csv:3: a.jpg is given twice"),
    ):
        path.write_text(text)
        with pytest.raises(LabelFileError, match=message):
            read_scenery(path)


@pytest.mark.parametrize(("name", "photos", "words"), [("scenery", 475, 24), ("indoors", 817, 83), ("streets", 440, 40)])
def test_the_kits_own_judgements_should_be_read_with_every_word(name, photos, words):
    found = read_scenery(Path(__file__).parents[1] / "configs" / f"everyday_{name}.csv")
    assert (len(found.images), len(found.words)) == (photos, words)
    assert found.present.any(0).all()


def test_lists_should_be_combined_without_guessing_what_is_unknown():
    first = Scenery(["a", "b"], ["rug", "cup"], np.array([[1, 0], [0, 1]], bool), np.array([[1, 1], [1, 0]], bool))
    second = Scenery(["b", "c"], ["carpet", "fork"], np.array([[1, 0], [0, 1]], bool), np.ones((2, 2), bool))
    found = combined([first, second], {"rug": "carpet"})
    assert found.images == ["a", "b", "c"] and found.words == ["carpet", "cup", "fork"]
    assert found.known.tolist() == [[True, True, False], [False, False, True], [True, False, True]]
    assert found.present.tolist() == [[True, False, False], [False, False, False], [False, False, True]]


def exhaustive(tmp_path) -> Path:
    rows = [f"coco/{n:012d}.jpg,coco80,{'tv|cup' if n % 3 else ''}" for n in range(279)]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["image,judged,labels", *rows, "voc/1.jpg,voc5,person", "voc/2.jpg,voc5,car"]) + "\n")
    return path


def test_photos_should_be_known_for_the_names_of_their_own_list(tmp_path):
    found = read_exhaustive(exhaustive(tmp_path), {"tv": "television"})
    assert found["coco80"].words == ["cup", "television"] and len(found["coco80"].images) == 279
    assert found["voc5"].words == ["car", "person"] and found["voc5"].present.tolist() == [[False, True], [True, False]]
    together = combined(list(found.values()))
    assert not together.known[together.images.index("voc/1.jpg"), together.words.index("cup")]


def test_the_kept_fold_should_be_fixed_by_names_and_never_be_learned_from(tmp_path):
    learned, kept = learned_and_kept(read_exhaustive(exhaustive(tmp_path), {}))
    assert len(kept.images) == KEPT == 56 and len(learned.images) == 223
    assert not set(learned.images) & set(kept.images)
    assert set(kept.images) == kept_fold(list(reversed(kept.images + learned.images)))
    digest = hashlib.sha256("|".join(sorted(kept.images)).encode()).hexdigest()
    assert digest == "0295f0bc52b01bb35b5a031cc5e99d6da7ef234e8fb437b85d1a87c88dd66966", "another fold: figures of earlier bundles would no longer compare"
    with pytest.raises(ValueError, match="no photo is judged for coco80"):
        learned_and_kept({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,labels\na,b\n", "labels.csv:2: expected the columns image,judged,labels"),
        ("image,judged,labels\na,x,b\na,x,c\n", "labels.csv:3: a is given twice"),
    ],
)
def test_mistakes_in_a_list_of_photos_should_be_named_with_their_line(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(LabelFileError, match=message):
        read_exhaustive(tmp_path / "labels.csv", {})


def test_words_should_say_what_else_they_are_called(tmp_path):
    own = read_words(Path(__file__).parents[1] / "configs" / "everyday_words.csv")
    assert by_other_name(own)["cell phone"] == "phone" and "an oven" in next(w.prompts for w in own if w.name == "oven")
    assert own[-1].row() == {"id": "cabinet", "name": "cabinet", "prompts": "", "threshold": "", "state": ""}
    path = tmp_path / "words.csv"
    for text, message in (
        ("name,prompts\na,\n", "words.csv:2: expected the columns name,prompts,called"),
        ("name,prompts,called\na,,b\nb,,\n", "words.csv:3: 'b' stands for two words"),
    ):
        path.write_text(text)
        with pytest.raises(LabelFileError, match=message):
            read_words(path)


def test_heads_should_find_what_is_there_and_leave_unclear_photos_out():
    generator = np.random.default_rng(5)
    inputs = generator.normal(size=(300, 6)).astype(np.float32)
    present = (inputs[:, :1] > 0.5) | (generator.random((300, 1)) < 0.02)
    known = generator.random((300, 1)) < 0.8
    scenery = Scenery([str(n) for n in range(300)], ["sky"], np.where(known, present, ~present), known)
    before = np.full((300, 1), -5.0)  # ranks nothing, and far too low
    found = fit_heads(inputs, before, scenery, np.random.default_rng(0))
    after = 1 / (1 + np.exp(-(before + (inputs - found.center) @ found.weights.T + found.biases)))
    assert ((after > 0.5) == present)[~known].mean() > 0.9
    assert (1 / (1 + np.exp(-found.left_out[known]))).mean() == pytest.approx(present[known].mean(), abs=0.05)


def test_a_rare_word_should_be_drawn_to_what_all_words_lack():
    generator = np.random.default_rng(4)
    present = generator.random((400, 5)) < np.array([0.3, 0.3, 0.3, 0.3, 0.01])
    judged = Scenery([str(n) for n in range(400)], list("abcde"), present, np.ones((400, 5), bool))
    found = fit_heads(generator.normal(size=(400, 4)), np.full((400, 5), -6.0), judged, np.random.default_rng(0))
    alone = np.log(0.3 / 0.7) + 6
    assert found.biases[:4] == pytest.approx(alone, abs=0.5)
    assert np.log(present[:, 4].mean()) + 6 < found.biases[4] < alone


def test_a_threshold_should_have_the_best_f1_among_those_that_are_right_often_enough():
    generator = np.random.default_rng(6)
    scores = generator.random(4000)
    right = generator.random(4000) < scores  # scores mean what they say
    assert operating_point(scores, right, Policy(0.5), "cup") == pytest.approx(0.4, abs=0.051)
    # tags from t up are right (1 + t) / 2 of the time
    assert operating_point(scores, right, Policy(0.8), "cup") == pytest.approx(0.6, abs=0.051)
    assert operating_point(scores, right, Policy(0.5, ("person",)), "person") >= 0.6  # at least four in five
    few = np.where(right, 0.9, np.where(generator.random(4000) < 0.05, 0.5, 0.01))
    assert (few[~right] >= operating_point(few, right, Policy(0.5, ("person",)), "person")).mean() <= 0.02
    assert operating_point(np.full(50, 0.7), np.zeros(50, bool), Policy(0.5), "cup") == UNPROVED


def test_new_words_should_be_lifted_as_far_as_they_are_unlike_the_training_labels():
    generator = np.random.default_rng(8)
    right = generator.random((3000, 2)) < 0.2
    judged = Scenery([str(n) for n in range(3000)], ["new", "old"], right, np.ones((3000, 2), bool))
    labels = np.eye(2, dtype=np.float32)
    before = np.full((3000, 2), np.log(0.2 / 0.8))
    before[:, 0] -= 3
    assert common_boost(before, judged, labels, labels[1:]) == pytest.approx(3, abs=0.2)
    assert common_boost(before + 4, judged, labels, labels[1:]) == 0  # nothing is pushed down
    assert common_boost(before, judged, labels, labels[:0]) == 0
    assert shared_bias(before[:, 1:], judged.columns(["old"])) == pytest.approx(0, abs=0.2)


def test_a_head_should_be_worth_it_where_scores_come_nearer_and_the_ranking_stays():
    right = np.array([True, True, False, False])
    low = np.array([-4.0, -4.5, -6.0, -7.0])
    assert gains(low, np.array([1.4, 0.8, -1.4, -2.2]), right)
    assert not gains(low, np.array([0.4, -0.4, 0.0, -2.2]), right)  # better scores, worse ranking
    assert not gains(np.array([2.0, 2.0, -2.0, -2.0]), np.array([2.1, 2.0, -2.0, -2.0]), right)  # hardly better


def heads_for(labels, size, generator, boost=0.0) -> WordHeads:
    anchors = np.stack([labels[1:2].repeat(2, 0), labels[3:5]])
    weights, center = generator.normal(size=(2, size)).astype(np.float32), generator.normal(size=size).astype(np.float32)
    offsets = -(weights @ center)
    return WordHeads(anchors, far_from(anchors, [labels[:1]] * 2), weights, offsets, np.array([1.0, -2.0]), boost)


def test_heads_should_add_to_their_own_word_and_to_no_other(exported, tmp_path):
    generator = np.random.default_rng(2)
    bundle = ServedBundle(exported)
    image = bundle.description["image"]
    labels = unit(generator.normal(size=(6, image["embeddingSize"])))
    asked = np.concatenate([labels, unit(labels[1] + 0.05 * labels[0])[None]])  # the last is near, but not the same
    pixels = generator.integers(0, 255, (3, image["size"], image["size"], 3), np.uint8)
    encoder = PoolingEncoder(exported / "image_encoder.onnx", image["size"], image["resize"])
    tokens, embeddings, pooled = encoder.run(pixels)
    heads = heads_for(labels, pooled.shape[1], generator)
    add_speakers(exported / "image_encoder.onnx", heads, tmp_path / "image_encoder.onnx")
    add_heads(exported / "decoder.onnx", heads, tmp_path / "decoder.onnx")
    said, same = open_graph(tmp_path / "image_encoder.onnx").run(["tokens", "embedding"], {"pixels": pixels})
    assert np.abs(said[:, :-1] - tokens).max() < 1e-6 and np.abs(same - embeddings).max() < 1e-6
    feed = {"tokens": said, "labels": asked}
    found = open_graph(tmp_path / "decoder.onnx").run(None, feed)[0] - bundle.logits(tokens, asked)
    assert np.abs(found - heads.added(pooled, asked, training_labels(exported / "decoder.onnx"))).max() < 1e-4
    assert np.abs(found[:, [0, 2, 5]]).max() < 1e-5 and np.abs(found[:, [1, 3, 4, 6]]).min() > 0.001
    assert found[:, 3] == pytest.approx(found[:, 4], abs=1e-4)  # two wordings of one word
    check_independence(tmp_path / "image_encoder.onnx", {"pixels": pixels}, "pixels", 0)
    check_independence(tmp_path / "decoder.onnx", feed, "tokens", 0)
    check_independence(tmp_path / "decoder.onnx", feed, "labels", 1)


def test_teaching_again_should_begin_with_the_graphs_that_were_exported(exported, tmp_path):
    generator = np.random.default_rng(3)
    image = ServedBundle(exported).description["image"]
    labels = unit(generator.normal(size=(6, image["embeddingSize"])))
    pixels = generator.integers(0, 255, (2, image["size"], image["size"], 3), np.uint8)
    encoder = PoolingEncoder(exported / "image_encoder.onnx", image["size"], image["resize"])
    size = encoder.run(pixels)[2].shape[1]
    for part, add in (("image_encoder", add_speakers), ("decoder", add_heads)):
        add(exported / f"{part}.onnx", heads_for(labels, size, np.random.default_rng(1)), tmp_path / f"{part}-once.onnx")
        add(tmp_path / f"{part}-once.onnx", heads_for(labels, size, np.random.default_rng(2)), tmp_path / f"{part}-twice.onnx")
        add(exported / f"{part}.onnx", heads_for(labels, size, np.random.default_rng(2)), tmp_path / f"{part}-new.onnx")
    tokens = [
        open_graph(tmp_path / f"image_encoder-{made}.onnx").run(["tokens"], {"pixels": pixels})[0] for made in ("twice", "new")
    ]
    assert (tokens[0] == tokens[1]).all()
    logits = [
        open_graph(tmp_path / f"decoder-{made}.onnx").run(None, {"tokens": tokens[0], "labels": labels})[0]
        for made in ("twice", "new")
    ]
    assert (logits[0] == logits[1]).all()


def test_heads_should_not_apply_to_a_neighbouring_label_of_the_vocabulary():
    near = unit(np.array([[1.0, 0.0, 0.0], [1.0, 0.45, 0.0], [1.0, 0.02, 0.0], [0.0, 0.0, 1.0]]))
    heads = WordHeads(near[:1, None], far_from(near[:1, None], [near[1:2]]), np.zeros((1, 2)), np.zeros(1), np.ones(1), 5.0)
    assert heads.near(near)[:, 0].tolist() == pytest.approx([1, 0, 1, 0], abs=1e-6)
    added = heads.added(np.zeros((1, 2)), near, near[1:2])
    # unlike what the decoder was trained with, and without a head: lifted; the decoder's own label: as it was
    assert added[0].tolist() == pytest.approx([1, 0, 1, 5], abs=1e-5)


def test_teaching_should_raise_a_words_scores_where_it_is_there_and_change_nothing_else(config, folders, exported, tmp_path):
    taught = commands.teach(config, folders, exported, tmp_path / "taught")
    assert taught.words == [WORD]
    before, after = ServedBundle(exported), ServedBundle(tmp_path / "taught")
    for name in ("reference_embeddings.f32", "text_center.f32"):
        assert (tmp_path / "taught" / name).read_bytes() == (exported / name).read_bytes()
    own = taught.thresholds[WORD]
    written = "" if own == before.scoring.default_threshold else str(own)
    assert [row["threshold"] for row in after.vocabulary()] == [written, "0.6"]
    assert after.description["image"]["tokens"] == before.description["image"]["tokens"] + 1
    assert after.description["version"] == read_config(config).bundle.version
    assert after.description["decoder"]["addedRows"] == before.description["decoder"]["addedRows"]

    prepared = open_prepared(config, folders, "cpu")
    tested = judged_scenery(config.parent / "scenery.csv", prepared.data.images, learned=False)
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


@pytest.fixture(scope="module")
def two_words(config_file, exported, tmp_path_factory):
    """A configuration with two judged words, and a bundle to teach them."""
    folder = tmp_path_factory.mktemp("two")
    rows = [f"{n:03d}.png,{'dark' if n % 2 else WORD}," for n in range(60)]
    (folder / "scenery.csv").write_text("\n".join(["image,present,unsure", *rows]))
    path = folder / "tiny.toml"
    path.write_text(config_file.read_text().replace("views = 2", 'views = 2\nscenery = "scenery.csv"'))
    bundle = Path(shutil.copytree(exported, folder / "bundle"))
    (bundle / "vocabulary.csv").write_text("id,name,prompts,threshold,state\nbright,bright,,0.9,\ndark,dark,,0.9,\n")
    return path, bundle


def test_a_head_should_be_left_out_without_touching_the_image_encoder(two_words, folders, tmp_path):
    config, bundle = two_words
    taught = commands.teach(config, folders, bundle, tmp_path / "taught")
    assert taught.words == [WORD, "dark"]
    less = config.with_name("less.toml")
    less.write_text(config.read_text() + f'headless = ["{WORD}"]\nstated_thresholds = {{ dark = 0.45 }}\n')
    kept = commands.teach(less, folders, tmp_path / "taught", tmp_path / "less", keep_encoder=True)
    assert kept.words == ["dark"]
    before, both, one = (ServedBundle(path) for path in (bundle, tmp_path / "taught", tmp_path / "less"))
    name = both.description["image"]["file"]
    assert (one.directory / name).read_bytes() == (both.directory / name).read_bytes()
    assert one.description["image"] == both.description["image"]
    assert [row["threshold"] for row in one.vocabulary()][1] == "0.45"
    with ImageStore(folders.data) as store:
        names = [f"{number:03d}.png" for number in range(48, 60)]
        labels = one.label_vectors(open_text_encoder(read_config(config), folders)[0], one.vocabulary())
        logits = [made.logits(made.encode(store, names)[0], labels) for made in (before, both, one)]
    assert np.abs(logits[2][:, 0] - logits[0][:, 0]).max() < 1e-4  # as if never taught
    assert np.abs(logits[2][:, 1] - logits[1][:, 1]).max() < 1e-4
    assert np.abs(logits[1] - logits[0]).mean(0).min() > 0.1

    with pytest.raises(ValueError, match="was not taught any words"):
        commands.teach(config, folders, bundle, tmp_path / "no", keep_encoder=True)
    again = commands.teach(config, folders, tmp_path / "less", tmp_path / "again", keep_encoder=True)
    assert again.words == ["dark"]  # a head that was left out is gone for good
    assert (tmp_path / "again" / "decoder.onnx").read_bytes() == (tmp_path / "less" / "decoder.onnx").read_bytes()
    scenery = (config.parent / "scenery.csv").read_text().splitlines()
    (config.parent / "fewer.csv").write_text("\n".join(scenery[:30]))
    other = config.with_name("other.toml")
    other.write_text(config.read_text().replace("scenery.csv", "fewer.csv"))
    with pytest.raises(ValueError, match="were fitted to other photos"):
        commands.teach(other, folders, tmp_path / "taught", tmp_path / "no", keep_encoder=True)


def test_a_bundles_files_should_be_measured_as_they_serve(config, folders, exported, tmp_path):
    commands.evaluate(config, folders, "cpu", folders.work / "none.pt", tmp_path, exported)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["scenery"][0]["word"] == WORD
    assert results["scenery"][0]["there"] == 5  # every second of twelve test photos, less the unclear one
    assert "| blend |" in (tmp_path / "report.md").read_text()


def test_a_bundle_should_be_taught_and_measured_without_the_caches_of_training(config, folders, exported, tmp_path):
    fresh = replace(folders, work=tmp_path / "work")
    taught = commands.teach(config, replace(fresh, weights=None, classes=None), exported, tmp_path / "taught")
    assert taught.words == [WORD]
    commands.evaluate(config, fresh, "cpu", None, tmp_path / "first", tmp_path / "taught")
    assert not (fresh.work / "trunk").exists()
    with np.load(fresh.work / "classes.npz") as stored:
        assert len(stored["logits"]) == 24  # those that no training uses
    backbone = load_backbone(read_config(config), folders.weights)
    with ImageStore(folders.data) as store:
        names = list_images(read_config(config), config, fresh).measured().names
        whole = build_trunk_cache(tmp_path / "trunk", store, names, backbone, 6, 64, "SQUASH", 1).class_probabilities()
        again = PlainClasses.compute(fresh.work / "classes.npz", store, names, torch.nn.Identity(), 64, "SQUASH")
    assert np.abs(again.class_probabilities() - whole).max() < 1e-4
    commands.evaluate(config, fresh, "cpu", None, tmp_path / "second", tmp_path / "taught")
    first, second = ((tmp_path / name / "results.json").read_text() for name in ("first", "second"))
    assert first == second


def test_teaching_without_judged_photos_should_name_the_key(config_file, folders, exported, tmp_path):
    with pytest.raises(ConfigError, match="data.scenery names no file"):
        commands.teach(config_file, folders, exported, tmp_path)


def test_the_kept_fold_should_be_counted_by_name_with_intervals():
    right = np.array([[True, False], [True, True], [False, False], [False, True]])
    kept = Scenery(list("abcd"), ["cup", "fork"], right, np.ones_like(right))
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.3], [0.1, 0.7]])
    report = Report("")
    found = kept_results(report, kept, scores, scores >= 0.5)
    by_name = {row["name"]: row for row in found["kept fold, by name"]}
    assert by_name["cup"] == {"name": "cup", "there": 2, "tags": 2, "right": 1, "ap": pytest.approx((1 + 2 / 3) / 2)}
    assert by_name["fork"]["ap"] == 1
    figures = {row["figure"]: row for row in found["kept fold"]}
    assert (figures["precision"]["value"], figures["recall"]["value"]) == (0.75, 0.75)
    assert figures["mAP"]["value"] == pytest.approx((by_name["cup"]["ap"] + 1) / 2)
    assert figures["recall"]["low"] < 0.75 <= figures["recall"]["high"] <= 1
    assert "| cup | 2 | 2 | 1 | 0.83 |" in report.lines
