# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The commands from end to end on a data folder in miniature."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from clip_decoder import commands
from clip_decoder.__main__ import main
from clip_decoder.bundle.graphs import check_independence, check_parity, open_graph
from clip_decoder.bundle.scoring import Scoring, scores, standardised_cosine
from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.bundle.writer import sha256
from clip_decoder.config import read_config
from clip_decoder.errors import ConfigError, ExportError
from clip_decoder.pipeline import open_text_encoder
from clip_decoder.prepared import open_prepared
from clip_decoder.text import fill_templates
from clip_decoder.training import Trainer


def test_training_should_lower_the_loss(losses):
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_images_that_do_not_decode_should_be_left_out_and_listed(config_file, folders, losses, capsys):
    prepared = open_prepared(config_file, folders, "cpu")
    assert "left out 1 images that are missing or do not decode: broken.png" in capsys.readouterr().out
    assert "broken.png" not in prepared.data.images.names


def test_resume_should_go_on_where_training_stopped(config_file, folders, losses, tmp_path):
    def trainer(steps):
        prepared = open_prepared(config_file, folders, "cpu")
        made = Trainer(prepared.config, prepared.model, prepared.data, prepared.device, tmp_path)
        made.config.training.__dict__["steps"] = steps
        return made

    halted = trainer(10)
    first = halted.run(progress=False)
    continued = trainer(30)
    continued.resume(tmp_path / "checkpoint.pt")
    rest = continued.run(progress=False)
    assert len(first) == 10 and len(rest) == 20
    assert first + rest == pytest.approx(losses, rel=0.02)


def test_the_labels_an_image_is_asked_about_should_stand_for_all(config_file, folders, losses, tmp_path):
    prepared = open_prepared(config_file, folders, "cpu")
    training = replace(prepared.config.training, labels_per_image=12)
    trainer = Trainer(
        replace(prepared.config, training=training), prepared.model, prepared.data, prepared.device, tmp_path
    )
    targets = torch.zeros(4, 40)
    targets[:, :3] = 1
    weights = torch.ones(4, 40)
    weights[:, 2] = 0  # nothing is known: no reason to ask
    totals = torch.zeros(40)
    for _ in range(300):
        chosen, chances = trainer._draw_pairs(targets, weights)
        assert all(len(set(row.tolist())) == 12 and {0, 1} <= set(row.tolist()) for row in chosen)
        totals.index_add_(0, chosen.flatten(), (1 / chances).flatten())
    assert (totals / 1200 - 1).abs().max() < 0.2


def test_bundle_should_describe_its_files_and_its_graphs(bundle):
    description = json.loads((bundle / "bundle.json").read_text())
    assert (description["id"], description["formatVersion"]) == ("tiny", 1)
    assert description["decoder"]["addedRows"] == 0  # so little data has no typical photo
    for part in (description["image"], description["decoder"], description["reference"]):
        assert sha256(bundle / part["file"]) == part["sha256"]
    assert sha256(bundle / description["selfTest"]["pixels"]) == description["selfTest"]["sha256"]
    session = open_graph(bundle / "image_encoder.onnx")
    tokens, embedding = session.run(None, {"pixels": synthetic_pixels(3, 64)})
    assert tokens.shape == (3, description["image"]["tokens"], description["image"]["tokenWidth"])
    assert embedding.shape == (3, description["image"]["embeddingSize"])
    assert np.abs(np.linalg.norm(embedding, axis=1) - 1).max() < 1e-5


def test_self_test_should_follow_from_the_files_alone(bundle, config_file, folders):
    description = json.loads((bundle / "bundle.json").read_text())
    text, _, _ = open_text_encoder(read_config(config_file), folders)
    center = np.fromfile(bundle / description["text"]["center"], "<f4")
    labels = np.stack(
        [
            text.label_vector(fill_templates(name, description["text"]["templates"]), center)
            for name in description["selfTest"]["labels"]
        ]
    )
    pixels = np.fromfile(bundle / "self_test_pixels.u8", np.uint8).reshape(-1, 64, 64, 3)
    reference = np.fromfile(bundle / "reference_embeddings.f32", "<f4").reshape(description["reference"]["count"], -1)
    tokens, embedding = open_graph(bundle / "image_encoder.onnx").run(None, {"pixels": pixels})
    logits = open_graph(bundle / "decoder.onnx").run(None, {"tokens": tokens, "labels": labels})[0]
    given = description["scoring"]
    scoring = Scoring(
        given["decoderWeight"],
        given["cosineWeight"],
        given["bias"],
        given["defaultThreshold"],
        given["topK"],
        given["candidateCutoff"],
    )
    found = scores(logits, standardised_cosine(embedding, labels, reference), scoring)
    assert np.abs(found - np.array(description["selfTest"]["scores"])).max() < description["selfTest"]["tolerance"]


def test_evaluation_should_report_every_method_beside_chance(config_file, folders, bundle, tmp_path):
    report = commands.evaluate(config_file, folders, "cpu", folders.work / "checkpoint.pt", tmp_path).read_text()
    for method in ("blend", "decoder", "cosine", "class names"):
        assert f"| {method} |" in report
    for plot in ("labels.png", "scores.png", "calibration.png"):
        assert (tmp_path / plot).stat().st_size > 1000
    results = json.loads((tmp_path / "results.json").read_text())["images, all labels (GZSL)"]
    blend = next(one for one in results if one["method"] == "blend")
    assert blend["mean_average_precision"] > blend["chance"]


def test_judged_tags_should_be_counted(config_file, folders, bundle, tmp_path):
    config = tmp_path / "judged.toml"
    config.write_text(config_file.read_text().replace("views = 2", 'views = 2\njudged = "judged.csv"'))
    labels = [f"{number:03d}.png,square,1\n" for number in range(48, 60)]
    (tmp_path / "judged.csv").write_text("image,label,right\n" + "".join(labels) + "048.png,nothing,0\n")
    commands.evaluate(config, folders, "cpu", folders.work / "checkpoint.pt", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["judged"] == [{"photos": 12, "tags": 12, "right": 1.0}]
    (tmp_path / "judged.csv").write_text("image,label,right\nelsewhere.png,square,1\n")
    with pytest.raises(ValueError, match="no such image in the data: elsewhere.png"):
        commands.evaluate(config, folders, "cpu", folders.work / "checkpoint.pt", tmp_path)


def test_splits_should_keep_labels_from_training_and_report_means(config_file, folders, losses, tmp_path):
    config = tmp_path / "splits.toml"
    quick = config_file.read_text().replace("steps = 30", "steps = 8")
    config.write_text(quick + "[splits]\ncount = 2\nunseen_share = 0.4\n")
    commands.evaluate_splits(config, folders, "cpu", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert len(results["splits"]) == 2
    unseen = "images, unseen labels (ZSL)"
    first, second = (run[unseen][0]["mean_average_precision"] for run in results["splits"])
    assert results["mean"][unseen][0]["mean_average_precision"] == pytest.approx((first + second) / 2)
    for split in (0, 1):
        # a complete run is neither trained nor measured again
        (folders.work / f"split-{split}" / "checkpoint.pt").unlink()
    commands.evaluate_splits(config, folders, "cpu", tmp_path / "again")
    for file in ("results.json", "report.md"):
        assert (tmp_path / "again" / file).read_text() == (tmp_path / file).read_text()
    with pytest.raises(ConfigError, match="splits.count must be 1 or more"):
        commands.evaluate_splits(config_file, folders, "cpu", tmp_path)


def test_time_should_print_milliseconds_for_every_number_of_labels(bundle, capsys, tmp_path):
    assert main(["time", "--bundle", str(bundle), "--labels", "5", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["image encoder", "decoder, 5 labels", "decoder, 20 labels"]
    assert main(["time", "--bundle", str(tmp_path)]) == 2
    assert "no bundle in" in capsys.readouterr().err


def test_export_should_fail_when_a_graph_differs_from_the_model(tmp_path):
    class Doubling(torch.nn.Module):
        factor = 2.0

        def forward(self, x):
            return x * self.factor

    module = Doubling()
    path = tmp_path / "graph.onnx"
    from clip_decoder.bundle.graphs import export_graph

    export_graph(module, {"x": torch.ones(2, 3)}, {"y": {0: "B"}}, {"x": {0: "B"}}, path)
    feed = {"x": np.ones((4, 3), np.float32)}
    assert check_parity(path, module, feed) == 0
    module.factor = 2.1
    with pytest.raises(ExportError, match="y differs from PyTorch by 4.76e-02"):
        check_parity(path, module, feed)


def test_export_should_fail_when_a_row_depends_on_its_batch(tmp_path):
    class Relative(torch.nn.Module):
        def forward(self, x):
            return x - x.mean(0, keepdim=True)

    path = tmp_path / "graph.onnx"
    from clip_decoder.bundle.graphs import export_graph

    export_graph(Relative(), {"x": torch.ones(2, 3)}, {"y": {0: "B"}}, {"x": {0: "B"}}, path)
    with pytest.raises(ExportError, match="a row of 'x' changes"):
        check_independence(path, {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}, "x", 0)


@pytest.mark.parametrize(
    "change,message",
    [
        (("steps = 30", "stepz = 30"), "unknown key training.stepz"),
        (("steps = 30", 'steps = "many"'), "training.steps must be of type int, got 'many'"),
        (('id = "tiny"', ""), "missing key bundle.id"),
        (("heads = 4", "heads = 5"), "decoder width 32 is not a multiple of its 5 heads"),
        (("seed = 3", "seed ="), "is not valid TOML"),
    ],
)
def test_configuration_mistakes_should_name_the_key(config_file, tmp_path, change, message):
    path = tmp_path / "changed.toml"
    path.write_text(config_file.read_text().replace(*change))
    with pytest.raises(ConfigError, match=message):
        read_config(path)


def test_commands_should_say_what_is_missing_and_exit_with_2(config_file, folders, capsys, tmp_path):
    options = ["--data", str(folders.data), "--text", str(folders.text), "--weights", str(folders.weights)]
    classes = ["--classes", str(folders.classes)]
    assert main(["train", "--config", str(tmp_path / "no.toml"), "--work", str(tmp_path), *options]) == 2
    assert "no such configuration" in capsys.readouterr().err
    arguments = ["--config", str(config_file), "--work", str(folders.work), *options, *classes]
    assert main(["calibrate", *arguments, "--checkpoint", str(tmp_path / "none.pt")]) == 2
    assert "no such checkpoint" in capsys.readouterr().err
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"?")
    assert main(["calibrate", *arguments, "--checkpoint", str(broken)]) == 2
    assert "is not a readable checkpoint" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert main(["train", *arguments, "--device", "cuda"]) == 2
        assert "PyTorch sees no CUDA device" in capsys.readouterr().err
