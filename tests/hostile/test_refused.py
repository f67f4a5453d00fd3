"""Every file of the corpus meets its refusal: by code and place, quickly, leaving nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from explorer.errors import InputError
from explorer.load import ReadOptions, Upload, read_files
from explorer.load.child import read
from explorer.spec import silent
from explorer.store import Store
from tests.hostile.corpus import CASES, Case

THROUGH_THE_PROCESS = ("C12", "J02", "P05", "N03b", "N06", "N15", "Z-overlap", "I02")


def check(case: Case, error: InputError) -> None:
    assert error.code == case.code, error
    assert error.where.file == case.name
    for name, value in case.where.items():
        assert getattr(error.where, name) == value
    assert error.message.endswith(".")
    assert len(error.message) < 1000
    assert "Traceback" not in str(error)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_refused(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "upload"
    file.write_bytes(case.make())
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        read([Upload(case.name, file)], ReadOptions(), folder, silent)
    assert time.process_time() - start < 5
    check(case, caught.value)
    assert not (folder / "canary-was-here").exists()


@pytest.mark.parametrize("case", [case for case in CASES if case.id in THROUGH_THE_PROCESS],
                         ids=str)
def test_refused_by_the_reader_process(case: Case, tmp_path: Path, store: Store) -> None:
    file = tmp_path / "upload"
    file.write_bytes(case.make())
    with pytest.raises(InputError) as caught:
        read_files([Upload(case.name, file)], ReadOptions(), store, silent)
    check(case, caught.value)
    assert list((store.root / "tmp").iterdir()) == []
    assert not list((store.root / "entries").iterdir())


def test_every_id_stands_once() -> None:
    ids = [case.id for case in CASES]
    assert len(set(ids)) == len(ids)
