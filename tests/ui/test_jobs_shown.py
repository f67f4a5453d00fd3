"""Jobs on the page, seen by sessions that come and go: S01, S03, S04, S13, R06."""


import pytest

from explorer.engine_queue import Queue
from explorer.load import load_sample
from explorer.propose import propose
from explorer.spec import silent
from tests.ui.opened import open_page

RECIPE, JOBS = "pages/explore/recipe.py", "pages/about/jobs.py"


@pytest.fixture
def workspace(shared):
    """A new workspace on the wine sample: the proposal, nothing of it computed."""
    from explorer.ui.state import Document

    wine = load_sample("wine", shared.store, silent)
    recipe = propose(wine).recipe
    identifier = shared.workspaces.create("wine")
    document = Document(dataset=wine.id, recipe=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception, app.exception


def words(app):
    texts = [element.value for kind in ("markdown", "caption", "error", "info", "warning")
             for element in getattr(app, kind)]
    bars = [str(bar.proto.text) for bar in app.get("progress")]
    return "\n".join(map(str, [*texts, *bars]))


def test_s01_s13_a_job_is_asked_for_once_and_found_by_every_session(shared, workspace):
    tabs = [open_page(RECIPE, workspace) for _ in range(2)]
    for tab in tabs:  # pressed in both, before either knew of the other
        press(tab, "Run")
    records = shared.jobs.owned(workspace)
    assert len({view.key for view in records}) == len(records) >= 4
    assert {(view.state, view.attempts) for view in records} == {("queued", 0)}

    queue = Queue(shared.folder)
    order = queue.take({"worker": 1})[0]
    queue.report({order.key: (0.42, "half way there")})
    reloaded = open_page(RECIPE, workspace)  # a new session knows only the address
    assert "half way there" in words(reloaded)
    assert "Run" not in [button.label for button in reloaded.button]

    queue.boot()  # the server was killed and started again
    queue.settle()
    restarted = open_page(RECIPE, workspace)
    assert "did not finish" in words(restarted)
    assert "The server was restarted while this ran" in words(restarted)
    press(restarted, "Run")
    assert shared.jobs.view(order.key).state == "queued"

    queue.hold("Waiting for memory: 0.1 GB are free on this machine, 0.5 GB must be.")
    assert "Waiting for memory" in words(open_page(RECIPE, workspace))
    shown = open_page(JOBS, workspace).dataframe[0].value
    assert any("Waiting for memory" in str(says) for says in shown["says"])
    queue.hold("")

    press(open_page(RECIPE, workspace), "Cancel")
    assert {view.state for view in shared.jobs.owned(workspace)} == {"cancelled"}
