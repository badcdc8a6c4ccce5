# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""NUS-WIDE's published files and its zero-shot protocol."""

import numpy as np
import pytest
from nus_wide_world import MISSING, SHOWN, TAGS, Miniature, tag_list, write_nus_wide

from clip_decoder.data.dataset import CALIBRATE, TEST, TRAIN
from clip_decoder.data.labels import LabelFileError
from clip_decoder.data.nus_wide import CONCEPTS, read_nus_wide


@pytest.fixture
def world(tmp_path) -> Miniature:
    return write_nus_wide(tmp_path, 40, 16)


def test_the_protocol_should_have_925_seen_and_81_unseen_labels(world):
    found = read_nus_wide(world.folder, 1)
    assert len(set(CONCEPTS)) == 81 and len(tag_list()) == 1000 and len(MISSING) == 6
    assert (found.seen.sum(), (~found.seen).sum()) == (925, 81)
    assert tuple(found.labels[925:]) == CONCEPTS
    assert not set(found.labels[:925]) & set(CONCEPTS)


def test_every_test_image_should_stay_and_training_images_without_a_seen_tag_should_not(world):
    found = read_nus_wide(world.folder, 1)
    columns = [found.labels.index(name) for name in (*TAGS, *SHOWN)]
    test = found.splits == TEST
    assert [found.images[row] for row in np.flatnonzero(test)] == world.images["Test"]
    assert np.array_equal(found.targets[test][:, columns], world.shows["Test"])
    assert not found.targets[test][::8].any()
    useful = world.shows["Train"][:, : len(TAGS)].any(1)
    assert [found.images[row] for row in np.flatnonzero(~test)] == [
        name for name, keep in zip(world.images["Train"], useful, strict=True) if keep
    ]
    assert (found.targets[~test][:, columns] == world.shows["Train"][useful]).all()


def test_training_images_should_be_set_aside_for_calibration(tmp_path):
    found = read_nus_wide(write_nus_wide(tmp_path, 400, 8).folder, 1)
    aside = (found.splits == CALIBRATE).sum()
    assert 0.02 < aside / (aside + (found.splits == TRAIN).sum()) < 0.09
    again, other = (read_nus_wide(tmp_path, seed).splits for seed in (1, 2))
    assert np.array_equal(found.splits, again) and not np.array_equal(found.splits, other)


def change(path, edit) -> None:
    path.write_text(edit(path.read_text()))


@pytest.mark.parametrize(
    "name,edit,message",
    [
        ("Groundtruth/TrainTestLabels/Labels_bear_Test.txt", lambda text: text[:-4], "bear_Test.txt: 14 lines, but 16"),
        ("Groundtruth/TrainTestLabels/Labels_bear_Test.txt", lambda text: "2" + text[1:], ":1: expected .* found '2'"),
        ("Groundtruth/TrainTestLabels/Labels_bear_Test.txt", lambda text: text[:4] + "01" + text[5:], ":3: .*'01'"),
        ("NUS_WID_Tags/Test_Tags1k.dat", lambda text: text[2:], "Test_Tags1k.dat:1: 999 values, expected 1000"),
        ("NUS_WID_Tags/TagList1k.txt", lambda text: text.replace("badeba", "soccer"), "924 are not among the 81"),
        ("ImageList/TestImagelist.txt", lambda text: text.replace("zoo\\1001_7919", "actor\\1000_0"), "listed twice"),
    ],
)
def test_mistakes_should_be_named_with_their_file_and_line(world, name, edit, message):
    change(world.folder / name, edit)
    with pytest.raises(LabelFileError, match=message):
        read_nus_wide(world.folder, 1)


def test_a_missing_file_should_be_named(world):
    (world.folder / "Groundtruth" / "TrainTestLabels" / "Labels_bear_Test.txt").unlink()
    with pytest.raises(LabelFileError, match="no such file.*Labels_bear_Test.txt"):
        read_nus_wide(world.folder, 1)


def test_rows_should_be_found_again_by_name_without_searching(world):
    """By a dictionary: a list's ``index`` would take hours for 269,648 images."""
    found = read_nus_wide(world.folder, 1)

    class Counted(str):
        compared = 0
        __hash__ = str.__hash__

        def __eq__(self, other):
            Counted.compared += 1
            return str.__eq__(self, other)

    wanted = [Counted(name) for name in reversed(found.images)]
    chosen = found.of(wanted)
    assert np.array_equal(chosen.targets, found.targets[::-1])
    assert Counted.compared <= 2 * len(wanted)
