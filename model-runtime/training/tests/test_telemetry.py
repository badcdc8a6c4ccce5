# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime reports nothing about the kit's use to its maker."""

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

import clip_decoder

SCORING = """
import sys
from pathlib import Path
from clip_decoder.text import TextEncoder
folder = Path(sys.argv[1])
print(len(TextEncoder(folder / "text.onnx", folder / "tokenizer.json").encode("red")))
"""
# what pytest imports before any test
TESTS = "import conftest, onnxruntime; print(onnxruntime.__version__)"


@pytest.fixture
def work(tmp_path) -> Path:
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.mark.parametrize("program", [SCORING, TESTS], ids=["kit", "tests"])
def test_nothing_should_be_left_in_the_home_directory(program, text_folder, tmp_path, work):
    home = tmp_path / "home"
    home.mkdir()
    assert "telemetry" not in _errors(program, text_folder, home, work).lower()
    assert not [path for path in home.rglob("*") if "onnxruntime" in str(path.relative_to(home)).lower()]
    assert not list(work.iterdir())


def test_a_home_directory_that_takes_no_files_should_not_be_missed(text_folder, tmp_path, work):
    """If it cannot write to the home directory, ONNX Runtime complains and leaves a file where it runs."""
    home = tmp_path / "no directory"
    home.touch()
    assert "telemetry" not in _errors(SCORING, text_folder, home, work).lower()
    assert not list(work.iterdir())


def test_the_variable_should_be_the_one_that_onnx_runtime_reads():
    libraries = list((Path(onnxruntime.__file__).parent / "capi").glob("onnxruntime_pybind11_state*.so"))
    assert libraries
    assert all(b"\0ORT_DISABLE_TELEMETRY\0" in library.read_bytes() for library in libraries)


def _errors(program: str, text_folder: Path, home: Path, work: Path) -> str:
    # nothing else: ONNX Runtime also keeps quiet where variables such as CI say that it runs unattended
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(Path(clip_decoder.__file__).parents[1]), str(Path(__file__).parent)]),
    }
    ran = subprocess.run(
        [sys.executable, "-c", program, str(text_folder)],
        env=environment,
        cwd=work,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
    return ran.stderr
