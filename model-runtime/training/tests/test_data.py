# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from clip_decoder.config import DataConfig
from clip_decoder.data.captions import Mentions, with_plurals
from clip_decoder.data.dataset import CALIBRATE, TEST, TRAIN, LabelledImages, ListedImages, SourceMix
from clip_decoder.data.everyday import EverydaySources, draw_seen, published_prompts
from clip_decoder.data.evidence import Evidence, EvidenceConfig, caption_evidence, label_classes, teacher_evidence
from clip_decoder.data.images import ImageStore, augment, decode, resize
from clip_decoder.data.judged import Judgement, read_judged, read_people
from clip_decoder.data.labels import LabelDefinition, LabelFileError, read_labels, with_article
from clip_decoder.data.multi_label import read_annotations
from clip_decoder.data.wordnet import WordNet


def label(name, captions=(), synsets=(), section="things"):
    return LabelDefinition(name, name, section, captions, synsets, (), (name,))


def test_captions_should_count_whole_words_and_their_plurals():
    terms = [with_plurals(["dog"]), with_plurals(["ice cream"]), with_plurals(["cat"])]
    captions = ["Two dogs eat ice cream.", "A dog!", "A catalogue of doggerel"]
    assert Mentions(terms).counts(captions) == [2, 1, 0]


def test_image_store_should_find_files_and_tar_members(data_folder):
    with ImageStore(data_folder) as store:
        assert len(store) == 61
        assert decode(store.read("000.png")).shape == (48, 64, 3)
        assert decode(store.read("broken.png")) is None


def test_decode_should_give_rgb():
    red = np.zeros((4, 4, 3), np.uint8)
    red[:, :, 2] = 255  # OpenCV's order is BGR
    assert decode(cv2.imencode(".png", red)[1].tobytes())[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("rule", ["SQUASH", "SHORTEST_SIDE_CENTER_CROP", "LETTERBOX"])
@pytest.mark.parametrize("shape", [(40, 100), (100, 40), (20, 20), (33, 32)])
def test_resize_should_give_the_asked_square(rule, shape):
    assert resize(np.full((*shape, 3), 9, np.uint8), 32, rule).shape == (32, 32, 3)


def test_letterbox_should_pad_with_black_and_crop_should_not():
    image = np.full((40, 80, 3), 200, np.uint8)
    assert resize(image, 32, "LETTERBOX")[0].max() == 0
    assert resize(image, 32, "SHORTEST_SIDE_CENTER_CROP").min() == 200


def test_squash_should_average_areas():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, ::2] = 200
    assert np.abs(resize(image, 32, "SQUASH").astype(int) - 100).max() <= 1


def test_augmentation_should_repeat_with_its_generator():
    image = np.random.default_rng(0).integers(0, 255, (50, 60, 3), np.uint8)
    first, second = augment(image, np.random.default_rng(3)), augment(image, np.random.default_rng(3))
    assert np.array_equal(first, second)
    assert first.dtype == np.uint8


def test_label_file_should_be_read_by_section(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("# animals\ndog ; = ; dog#1 ; - ; dog|hound\nSea Lion ; - ; - ; seal ; -\n")
    dog, seal = read_labels(path)
    assert (dog.section, dog.captions, dog.synsets, dog.prompts) == ("animals", ("dog",), ("dog#1",), ("dog", "hound"))
    assert (seal.id, seal.captions, seal.sources, seal.prompts) == ("sea-lion", (), ("seal",), ("Sea Lion",))


@pytest.mark.parametrize(
    "text,message",
    [
        ("dog ; =\n", ":1: 2 fields, expected 5"),
        (" ; = ; - ; - ; -\n", ":1: the label has no name"),
        ("dog ; = ; - ; - ; -\ncat ; = ; - ; - ; -\nDog ; = ; - ; - ; -\n", ":3: 'Dog' is already defined on line 1"),
        ("# nothing\n", "no labels in it"),
    ],
)
def test_label_file_mistakes_should_be_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "labels.txt"
    path.write_text(text)
    with pytest.raises(LabelFileError, match=message):
        read_labels(path)


@pytest.mark.parametrize(
    "text,message",
    [
        ("photo,labels\n", "needs the columns image and labels"),
        ("image,labels\na.png,red\na.png,blue\n", ":3: 'a.png' is already given on line 2"),
        ("image,labels\na.png,red||blue\n", ":2: an empty label name"),
        ("image,labels\na.png,red|red\n", ":2: a label is given twice"),
        ("image,labels,split\na.png,red,training\n", ":2: unknown split 'training'"),
        ("image,labels\na.png,\n", "no labels in it"),
    ],
)
def test_annotation_mistakes_should_be_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(LabelFileError, match=message):
        read_annotations(path, 0)


def mini_wordnet(folder):
    """animal > dog > poodle, and a second sense of "poodle" that nothing covers."""
    lines = ["  licence\n"]
    offsets = {}
    for name, parent in (("animal", None), ("dog", "animal"), ("poodle", "dog"), ("haircut", None)):
        offsets[name] = sum(len(line) for line in lines)
        word = "poodle" if name == "haircut" else name
        pointers = f"001 @ {offsets[parent]:08d} n 0000" if parent else "000"
        lines.append(f"{offsets[name]:08d} 05 n 01 {word} 0 {pointers} | a {name}\n")
    (folder / "data.noun").write_text("".join(lines))
    (folder / "index.noun").write_text(
        f"  licence\nanimal n 1 0 1 0 {offsets['animal']:08d}\ndog n 1 1 @ 1 0 {offsets['dog']:08d}\n"
        f"poodle n 2 1 @ 2 0 {offsets['haircut']:08d} {offsets['poodle']:08d}\n"
    )
    return WordNet(folder), offsets


def test_wordnet_should_climb_to_all_ancestors(tmp_path):
    wordnet, offsets = mini_wordnet(tmp_path)
    assert wordnet.ancestors(offsets["poodle"]) == {offsets["poodle"], offsets["dog"], offsets["animal"]}
    assert wordnet.words(offsets["dog"]) == ("dog",)
    with pytest.raises(ValueError, match="no noun 'cat'"):
        wordnet.synset("cat")


def test_label_classes_should_take_the_first_sense_that_covers_a_class(tmp_path):
    wordnet, offsets = mini_wordnet(tmp_path)
    covered = label_classes([label("poodle", synsets=("poodle",)), label("animal", synsets=("animal",))], wordnet, [offsets["poodle"]])
    assert covered.tolist() == [[True], [True]]
    with pytest.raises(ValueError, match="'x': no ImageNet class is a kind of 'poodle#1'"):
        label_classes([label("x", synsets=("poodle#1",))], wordnet, [offsets["poodle"]])


def test_teacher_should_speak_only_where_it_is_sure():
    evidence = teacher_evidence(
        np.array([[0.9, 0.1], [0.0, 1.0], [0.3, 0.7]], np.float32), np.array([[True, False]]), EvidenceConfig()
    )
    assert (evidence.weights[:, 0] > 0).tolist() == [True, True, False]
    assert (evidence.targets[:, 0] > 0.5).tolist() == [True, False, False]


def test_silence_of_captions_should_count_less_where_the_teacher_wavers():
    labels = [label("dog", ("dog",), ("dog",)), label("running", ("running",))]
    teacher = Evidence(np.zeros((2, 2), np.float16), np.array([[0.0, 0.0], [0.5, 0.0]], np.float16))
    evidence = caption_evidence([["a cat"], ["a cat"]], labels, teacher, EvidenceConfig())
    assert evidence.weights[0, 0] == np.float16(0.15)
    assert evidence.weights[1, 0] == 1
    assert evidence.weights[0, 1] == 1
    named = caption_evidence([["a dog", "the dog"], ["a dog"]], labels, teacher, EvidenceConfig())
    assert named.targets[:, 0].tolist() == [1, np.float16(0.8)]


def test_labels_named_like_photos_of_a_source_should_be_kept_from_training(tmp_path):
    for folder, text in (
        ("flickr8k/captions.csv", "image,caption\na.jpg,A dog.\n"),
        ("scenes/labels.csv", "image,label\nb.jpg,forest\n"),
        ("objects/labels.csv", "image,label,source\nc.jpg,umbrella,caltech101\nd.jpg,cat,imagenet-samples\n"),
    ):
        (tmp_path / folder).parent.mkdir()
        (tmp_path / folder).write_text(text)
    sources = EverydaySources(tmp_path)
    labels = [label(name) for name in ("dog", "umbrellas", "cat", "forest")]
    assert draw_seen(labels, DataConfig("everyday", unseen_source="caltech101"), sources).tolist() == [1, 0, 1, 1]
    drawn = DataConfig("everyday", unseen_share=0.5, label_split_seed=1)
    assert draw_seen(labels, drawn, sources).sum() == 2
    with pytest.raises(ValueError, match="no single-label source 'flickr'"):
        draw_seen(labels, DataConfig("everyday", unseen_source="flickr"), sources)


def test_judged_pairs_should_be_read_and_mistakes_named_with_their_line(tmp_path):
    path = tmp_path / "judged.csv"
    path.write_text("image,label,right\na.jpg,dog,1\na.jpg,cat,0\n")
    assert read_judged(path) == [Judgement("a.jpg", "dog", True), Judgement("a.jpg", "cat", False)]
    path.write_text("image,label,right\na.jpg,dog,1\na.jpg,cat,perhaps\n")
    with pytest.raises(LabelFileError, match="judged.csv:3: right must be 1 or 0, got 'perhaps'"):
        read_judged(path)
    path.write_text("image,label\na.jpg,dog\n")
    with pytest.raises(LabelFileError, match="judged.csv:2: expected the columns"):
        read_judged(path)


def test_photos_with_people_should_be_read_and_mistakes_named_with_their_line(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("image\na.jpg\nb.jpg\n")
    assert read_people(path) == {"a.jpg", "b.jpg"}
    path.write_text("image\na.jpg\na.jpg\n")
    with pytest.raises(LabelFileError, match="people.csv:3: a.jpg is given twice"):
        read_people(path)
    path.write_text("photo\na.jpg\n")
    with pytest.raises(LabelFileError, match="people.csv:1: expected the header image"):
        read_people(path)


def test_source_mix_should_hold_every_source_in_its_share():
    images = LabelledImages(
        [str(i) for i in range(30)],
        ("a", "b"),
        np.array([0] * 20 + [1] * 10),
        np.array([TRAIN] * 15 + [TEST] * 5 + [TRAIN] * 10),
        np.zeros((30, 1)),
        np.zeros((30, 1)),
        None,
    )
    mix = SourceMix(images, {"a": 4, "b": 2}, np.random.default_rng(0))
    for _ in range(20):
        rows = mix.next()
        assert len(rows) == len(mix) == 6
        assert (images.sources[rows] == 0).sum() == 4
        assert (images.splits[rows] == TRAIN).all()
    with pytest.raises(ValueError, match="no such source: c; known are a, b"):
        SourceMix(images, {"c": 1}, np.random.default_rng(0))
    assert CALIBRATE not in images.splits


def test_images_to_measure_with_should_keep_their_splits():
    splits = np.array([TRAIN, TEST, TRAIN, CALIBRATE])
    found = ListedImages(list("abcd"), ("x", "y"), np.array([0, 0, 1, 1]), splits).measured()
    assert found.names == ["b", "d"]
    assert found.sources.tolist() == [0, 1] and found.splits.tolist() == [TEST, CALIBRATE]
    assert found.rows("y", CALIBRATE).tolist() == [1]


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("airplane", "an airplane"),
        ("elderly person", "an elderly person"),
        ("uniform", "a uniform"),
        ("cup", "a cup"),
        ("glasses", "glasses"),
        ("ice skating", "ice skating"),
        ("crowd of people", "a crowd of people"),
        ("orange fruit", "an orange fruit"),
    ],
)
def test_prompts_should_be_correct_english(noun, expected):
    assert with_article(noun) == expected
    prompts = published_prompts(LabelDefinition(noun, noun, "", (), (), (), (noun,)))
    assert prompts == ([] if expected == f"a {noun}" else [f"a photo of {expected}.", noun])
