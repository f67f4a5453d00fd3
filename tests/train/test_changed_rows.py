"""Rows made worse on purpose and views of them: how much is changed, and by whose random numbers.
"""

from __future__ import annotations

from typing import Any

import pytest

from explorer.train.corrupt import corrupted, hidden_parts
from explorer.train.views import Changes, views_of

torch = pytest.importorskip("torch")

NOTHING = Changes(crop=1.0, turn=0.0, light=0.0, blur=False, noise=0.0, swapped=0.0)


def generator(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int) -> Any:
    return torch.randn(shape, generator=generator(9))


def test_gaussian_noise_has_the_level() -> None:
    rows = draw(200, 100)
    added = corrupted(rows, "gaussian", 0.7, generator()) - rows
    assert added.std().item() == pytest.approx(0.7, rel=0.02)
    assert added.mean().item() == pytest.approx(0, abs=0.02)


def test_masking_sets_the_share_to_zero_and_nothing_else() -> None:
    rows = draw(200, 100) + 10
    found = corrupted(rows, "masking", 0.3, generator())
    assert (found == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert torch.equal(found[found != 0], rows[found != 0])
    assert not corrupted(rows, "masking", 3.0, generator()).any()


def test_salt_and_pepper_are_the_extremes() -> None:
    rows = draw(200, 100)
    found = corrupted(rows, "salt and pepper", 0.2, generator())
    salt, pepper = found == rows.max(), found == rows.min()
    assert salt.float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert pepper.float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(found[~(salt | pepper)], rows[~(salt | pepper)])


@pytest.mark.parametrize(("width", "share", "expected"), [
    (10, 0.5, 5), (10, 0.01, 1), (10, 0.999, 9), (3, 0.5, 2), (2, 0.9, 1), (1, 0.5, 1)])
def test_of_vectors_the_asked_share_is_hidden_in_every_row(width: int, share: float,
                                                           expected: int) -> None:
    hidden = hidden_parts(draw(50, width), share, 4, generator())
    assert hidden.sum(1).tolist() == [expected] * 50


@pytest.mark.parametrize(("height", "width", "patch", "squares"), [
    (8, 8, 2, 16), (8, 8, 4, 4), (28, 28, 4, 49), (7, 5, 3, 6), (1, 1, 4, 1)])
def test_of_images_whole_squares_are_hidden_in_all_channels(height: int, width: int, patch: int,
                                                            squares: int) -> None:
    hidden = hidden_parts(draw(9, 3, height, width), 0.5, patch, generator())
    assert (hidden == hidden[:, :1]).all()
    assert hidden.flatten(1).any(1).all()
    for row in hidden[:, 0]:
        parts = [part for line in row.split(patch, 0) for part in line.split(patch, 1)]
        assert all(part.all() or not part.any() for part in parts)
        assert len(parts) == squares
        assert sum(bool(part.all()) for part in parts) == max(1, round(squares / 2))


@pytest.mark.parametrize("shape", [(20,), (1, 8, 8), (3, 14, 14)])
def test_views_come_from_the_generator_alone(shape: tuple[int, ...]) -> None:
    rows, change = draw(16, *shape), views_of(shape, Changes(mirror=True))
    before = torch.get_rng_state()
    ours = generator(1)
    first, second = change(rows, ours), change(rows, ours)
    assert torch.equal(before, torch.get_rng_state())
    assert first.shape == rows.shape
    assert not torch.equal(first, second)
    torch.rand(3)
    assert torch.equal(first, change(rows, generator(1)))
    assert torch.isfinite(first).all()


@pytest.mark.parametrize("shape", [(20,), (1, 8, 8), (3, 14, 14)])
def test_without_changes_a_view_is_the_row(shape: tuple[int, ...]) -> None:
    rows = draw(16, *shape)
    torch.testing.assert_close(views_of(shape, NOTHING)(rows, generator()), rows)


def test_of_vectors_the_asked_share_comes_from_other_rows_of_the_same_column() -> None:
    rows = torch.arange(500.0)[:, None] * 10 + torch.arange(40.0)[None] / 100
    found = views_of((40,), Changes(noise=0.0, swapped=0.25))(rows, generator())
    taken = found != rows
    assert taken.float().mean().item() == pytest.approx(0.25, abs=0.01)
    column = (found - (found / 10).floor() * 10) * 100
    torch.testing.assert_close(column.round(), torch.arange(40.0).expand(500, 40))


def test_of_images_light_moves_every_pixel_alike() -> None:
    rows = draw(6, 3, 8, 8)
    change = Changes(crop=1.0, turn=0.0, light=0.5, blur=False)
    found = views_of((3, 8, 8), change)(rows, generator())
    for before, after in zip(rows.reshape(18, 64), found.reshape(18, 64), strict=True):
        matrix = torch.stack([before, torch.ones(64)], 1)
        contrast, brightness = torch.linalg.lstsq(matrix, after[:, None]).solution.flatten()
        assert 0.5 <= contrast <= 1.5
        assert abs(brightness) <= 0.5
        torch.testing.assert_close(contrast * before + brightness, after, atol=1e-4, rtol=1e-4)
