"""Small files that unpack to huge ones end soon, in the reader's memory and not in the server's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.bombs import BOMBS, Bomb, explode

SHORT = ("overlap.zip", "bomb.npz", "zeros.xlsx", "laugh.xlsx")


@pytest.mark.parametrize("bomb", [bomb for bomb in BOMBS if bomb.name in SHORT],
                         ids=lambda bomb: bomb.name)
def test_bomb(bomb: Bomb, tmp_path: Path) -> None:
    blast = explode(bomb, tmp_path)
    assert blast.code in bomb.codes
    assert blast.ratio > 1000
    assert blast.seconds < 20
    assert blast.rise < 50 * 2**20
