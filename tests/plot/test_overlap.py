"""The table and the flow of two groupings: order, what can be clicked, what is left out."""

import numpy as np

from explorer.plot.intervals import Estimate, draw_intervals
from explorer.plot.overlap import (
    MOST_DRAWN,
    MOST_FLOWS,
    Table,
    draw_flow,
    draw_overlap,
    flows_left_out,
    in_order,
)


def table(counts, paired, names=None):
    counts = np.asarray(counts, dtype=np.int64)
    rows, columns = counts.shape
    return Table(counts, np.arange(rows) - 1, np.arange(columns) + 10,
                 names or [f"r{row}" for row in range(rows)],
                 [f"c{column}" for column in range(columns)], np.asarray(paired), counts.sum(1))


def clickable(figure):
    return {tuple(place) for trace in figure.data if trace.customdata is not None
            for place in trace.customdata}


def test_rows_by_size_and_partners_on_the_diagonal():
    found = in_order(table([[0, 5, 1], [9, 0, 0], [0, 0, 2]], [1, 0, 2]))
    assert list(found.first_names) == ["r1", "r0", "r2"]
    assert list(found.second_names) == ["c0", "c1", "c2"]
    assert found.counts.tolist() == [[9, 0, 0], [0, 5, 1], [0, 0, 2]]
    assert found.paired.tolist() == [0, 1, 2]


def test_every_cell_with_rows_can_be_clicked():
    whole = table([[4, 0], [3, 2]], [0, 1])
    expected = {(-1, 10), (0, 10), (0, 11)}
    assert clickable(draw_overlap(whole, ours="a", theirs="b")) == expected
    assert clickable(draw_flow(whole, ours="a", theirs="b")) == expected


def test_names_are_shown_literally():
    whole = table([[4, 1]], [0], names=["<b>$x$</b>"])
    for figure in (draw_overlap(whole, ours="<i>", theirs="b"),
                   draw_flow(whole, ours="<i>", theirs="b")):
        assert "<b>$x$" not in str(figure)
        assert "&lt;b&gt;" in str(figure)


def test_large_tables_keep_the_largest_and_say_what_is_left_out():
    draws = np.random.default_rng(0)
    whole = table(draws.integers(1, 90, (70, 60)), np.full(70, -1))
    drawn = in_order(whole)
    assert drawn.counts.shape == (MOST_DRAWN, MOST_DRAWN)
    assert drawn.row_sizes.min() >= np.sort(whole.row_sizes)[-MOST_DRAWN]
    flows, rows = flows_left_out(drawn)
    assert drawn.counts.size - MOST_FLOWS - 90 < flows <= drawn.counts.size - MOST_FLOWS
    assert len(clickable(draw_flow(drawn, ours="a", theirs="b"))) == drawn.counts.size - flows
    assert 0 < rows < drawn.counts.sum()
    assert flows_left_out(table([[4, 1]], [0])) == (0, 0)


def test_nothing_is_said_in_words():
    empty = table(np.zeros((2, 2)), [-1, -1])
    for draw in (draw_overlap, draw_flow):
        assert "No row" in str(draw(empty, ours="a", theirs="b"))
    assert "Nothing" in str(draw_intervals([], axis="accuracy"))


def test_intervals_are_drawn_around_their_numbers():
    figure = draw_intervals([Estimate("tf-idf", "Linear", 0.8, 0.7, 0.85),
                             Estimate("MiniLM", "Linear", 0.9, None, None)], axis="accuracy",
                            baseline=0.25, baseline_name="none")
    trace = figure.data[0]
    assert list(trace.x) == [0.8, 0.9]
    np.testing.assert_allclose(trace.error_x.array, [0.05, 0])
    np.testing.assert_allclose(trace.error_x.arrayminus, [0.1, 0])
    assert figure.layout.shapes[0].x0 == 0.25
