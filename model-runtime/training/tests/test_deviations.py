# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``deviations``: each switch moves what the README says, and is measured beside the paper's recipe."""

import json
import re
from pathlib import Path

import pytest

from clip_decoder import compare, small_world
from clip_decoder.__main__ import main
from clip_decoder.compare import ALL, CONFIGS, FIGURES, PAPER, deviating, value_of
from clip_decoder.config import read_config
from clip_decoder.deviations import DEVIATIONS, MEASURED

README = Path(__file__).parents[1] / "README.md"
KEYS = sorted({key for one in DEVIATIONS for key in one.keys})


def test_the_readmes_table_should_have_every_deviation_with_its_keys():
    section = README.read_text(encoding="utf-8").split("### Where our recipe deviates from the paper")[1]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == [one.name for one in DEVIATIONS]
    for row, one in zip(rows, DEVIATIONS, strict=True):
        for key in one.keys:
            assert key.split(".")[-1] in row[3], key


@pytest.mark.parametrize("deviation", MEASURED, ids=lambda one: one.name)
def test_a_deviation_should_change_its_own_keys_to_our_recipes_values(deviation):
    paper, ours = (read_config(CONFIGS / f"{name}.toml") for name in ("paper", "nus-wide"))
    found = deviating(paper, [deviation])
    for key in KEYS:
        if key not in deviation.keys:
            assert value_of(found, key) == value_of(paper, key)
        elif key not in deviation.small:
            assert value_of(found, key) == value_of(ours, key)
    assert any(value_of(found, key) != value_of(paper, key) for key in deviation.keys)


def test_every_recipe_should_be_trained_beside_the_papers_for_every_seed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(small_world, "PRETRAINING_STEPS", 2)
    for module in (small_world, compare):
        monkeypatch.setattr(module, "SIZES", {"train": 40, "calibrate": 30, "test": 40})
    chosen = ["pooling of a ResNet", "text vectors", "score"]
    options = ["--output", str(tmp_path), "--seeds", "2", "--steps", "2"]
    assert main(["deviations", *options, "--only", *chosen]) == 0
    runs = json.loads((tmp_path / "results.json").read_text())["runs"]
    recipes = {"ViT": [PAPER, "text vectors", "score", ALL], "ResNet": [PAPER, "pooling of a ResNet"]}
    expected = [(seed, tower, name) for seed in (1, 2) for tower, names in recipes.items() for name in names]
    assert [(one["seed"], one["tower"], one["recipe"]) for one in runs] == expected
    assert all(len(one["figures"]) == len(FIGURES) and all(0 <= each <= 1 for each in one["figures"]) for one in runs)
    lines = (tmp_path / "report.md").read_text().splitlines()
    first = {(one["recipe"], one["seed"]): one["figures"][0] for one in runs if one["tower"] == "ViT"}
    moved = [100 * (first["score", seed] - first[PAPER, seed]) for seed in (1, 2)]
    row = next(line for line in lines if line.startswith("| score |"))
    assert row.startswith(f"| score | {sum(moved) / 2:+.1f} ({min(moved):+.1f} to {max(moved):+.1f}) |")
    assert "seed 2, ResNet, pooling of a ResNet: " in capsys.readouterr().out


def test_a_deviation_that_is_not_measured_should_be_refused_with_the_names_of_those_that_are(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["deviations", "--output", str(tmp_path), "--only", "text encoder"])
    assert "'text encoder'" in (printed := capsys.readouterr().err) and "weight decay" in printed
