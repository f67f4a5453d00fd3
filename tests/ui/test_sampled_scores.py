"""What is said on screen of silhouettes that a sample of rows estimates."""

import re

import numpy as np

from explorer.cli_write import score_table
from explorer.judge import judges
from explorer.load import load_sample
from explorer.measures import measures
from explorer.project import projectors
from explorer.propose import propose
from explorer.recipe import Call
from explorer.run import run
from explorer.spec import silent
from explorer.ui.map_view import score_line
from explorer.ui.offers import _find
from explorer.ui.rows_view import _standing
from explorer.values import Judgement, Score, read, save


def test_the_score_line_names_sample_interval_and_seed(store):
    data = load_sample("wine", store, silent)
    sampling = judges().create("silhouette", {"exact_up_to": 100, "sample_rows": 100, "seed": 7})
    asked = (Call.of(sampling), Call.of(judges().create("davies_bouldin")))
    recipe = propose(data).recipe.using(projector=projectors().create("pca"), judges=asked)
    current = run(recipe, data, store)
    score = current.scores[0]
    assert score.sample < score.total == 178
    numbers, basis = (text.replace("\\", "").replace("\u200b", "")
                      for text in score_line(current))
    assert re.search(rf"Silhouette ↑ \*\*{score.value:.3f}\*\* \(0\.\d+ to 0\.\d+\) · Davies",
                     numbers)
    assert basis.startswith(f"178 of 178 rows · Silhouette: estimated from a sample of "
                            f"{score.sample} of them, seed 7, with its 95 % confidence interval")
    assert f"(95 % interval {score.interval})" in score_table(current.scores)
    values = np.asarray(current.silhouette.per_row["silhouette"])
    assert np.isfinite(values).sum() == score.sample
    outside = int(current.rows[np.flatnonzero(np.isnan(values))[0]])
    assert "not in the sample" in _standing(current, outside, {})
    assert f"of a sample of {score.sample} rows" in measures(current)["silhouette"].made_by
    titles = [title for title, _ in _find(current) if "silhouette" in title]
    assert all(title.endswith("of the sample") for title in titles)


def test_intervals_and_results_of_before(store):
    plain = {"name": "Silhouette", "value": 0.5, "space": "s", "metric": "euclidean", "sample": 5,
             "total": 5, "noise": "no noise rows"}
    assert Score(**plain).interval == ""
    assert Score(**plain, low=0.301, high=0.42).interval == "0.301 to 0.420"
    assert Score(**plain, low=0.3012, high=0.3019).interval == "0.30120 to 0.30190"
    stored = Judgement(scores=(Score(**plain, low=0.4, high=0.6), Score(**plain)))
    save(store, "1" * 32, stored, {})
    assert read(Judgement, store.get("1" * 32)).scores == stored.scores
