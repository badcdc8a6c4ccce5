# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The page on bringing your own CLIP, run as printed except for the downloads.

The commands run in a directory that looks like a fresh clone. ``python3 -m venv`` makes no environment there but hands
on to this one, ``pip`` checks that the packages are already installed, and the launcher ends when all photos are
tagged.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_world import hugging_face_clip

ROOT = Path(__file__).parents[3]
KIT = Path("model-runtime", "training")
PHOTOS = 32
BUILT = subprocess.run([ROOT / "deploy" / "build-record", "check", "launcher"], check=False).returncode == 0

VENV = f"""#!/bin/sh -e
[ "$1 $2" = "-m venv" ]
mkdir -p "$3/bin"
printf '#!/bin/sh\\nexec "{sys.executable}" "$@"\\n' > "$3/bin/python"
cp "$(dirname "$0")/pip" "$3/bin/pip"
chmod +x "$3/bin/python"
"""
PIP = f"""#!{sys.executable}
import re, sys, tomllib
install, c, constraints, e, project = sys.argv[1:]
assert (install, c, e) == ("install", "-c", "-e")
directory, extra = re.fullmatch(r"(.*)\\[(.*)]", project).groups()
open(constraints).close()
assert extra in tomllib.load(open(f"{{directory}}/pyproject.toml", "rb"))["project"]["optional-dependencies"]
"""
LAUNCHER = f"""#!/bin/sh -e
printf '%s\\n' "$@" > "$HOME/arguments"
{f'exec "{ROOT}/deploy/tagstream" "$@" --once' if BUILT else ""}
"""


def printed_commands() -> str:
    page = (ROOT / "deploy" / "docs" / "bring-your-own-model.md").read_text(encoding="utf-8")
    return next(block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "export --clip" in block)


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    clone = tmp_path_factory.mktemp("clone")
    (clone / KIT).mkdir(parents=True)
    for name in ("clip_decoder", "constraints.txt", "pyproject.toml"):
        (clone / KIT / name).symlink_to(ROOT / KIT / name)
    script(clone / "deploy" / "tagstream", LAUNCHER)
    script(clone / "home" / "bin" / "python3", VENV)
    script(clone / "home" / "bin" / "pip", PIP)
    hugging_face_clip(clone / "CHECKPOINT")
    generator = np.random.default_rng(2)
    for folder in (clone / "PHOTOS", clone / "home" / "Pictures"):
        folder.mkdir()
        for number in range(PHOTOS):
            cv2.imwrite(str(folder / f"{number:02d}.png"), generator.integers(0, 256, (40, 48, 3), np.uint8))
    return clone


@pytest.fixture(scope="module")
def output(clone) -> list[str]:
    home = clone / "home"
    environment = os.environ | {"HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
    commands = ["sh", "-e", "-c", printed_commands()]
    done = subprocess.run(commands, check=False, cwd=clone, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_tagstream_should_be_given_a_bundle_with_a_vocabulary(clone, output):
    assert output[0].startswith("exported to ")
    arguments = (clone / "home" / "arguments").read_text().splitlines()
    assert arguments[:3] == ["local", str(clone / "home" / "Pictures"), "--set"]
    bundle = clone / arguments[3].removeprefix("model.bundle=")
    assert (bundle / "bundle.json").is_file()
    assert (bundle / "vocabulary.csv").read_text(encoding="utf-8").startswith("id,name\nperson,person\n")


@pytest.mark.skipif(not BUILT, reason="Tagstream is not built from these sources; run deploy/tagstream once")
def test_tagstream_should_tag_with_the_bundle(output):
    photos = {line.split("  ")[0] for line in output if ".png  " in line}
    assert photos == {f"{number:02d}.png" for number in range(PHOTOS)}
