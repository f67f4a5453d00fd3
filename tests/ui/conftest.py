"""What page tests without a browser share."""

import os

import pytest


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The backend on a home of this module; its engine is not needed and stopped."""
    from explorer.ui.backend import backend

    before = os.environ.get("EXPLORER_HOME")
    os.environ["EXPLORER_HOME"] = str(tmp_path_factory.mktemp("home"))
    backend.clear()
    found = backend()
    found.engine.stop()
    yield found
    backend.clear()
    if before is None:
        del os.environ["EXPLORER_HOME"]
    else:
        os.environ["EXPLORER_HOME"] = before


@pytest.fixture(scope="module")
def wine(shared):
    """A workspace on the wine sample with everything computed."""
    from explorer.load import load_sample
    from explorer.project import projectors
    from explorer.propose import propose
    from explorer.run import run
    from explorer.spec import silent
    from explorer.ui.state import Document

    data = load_sample("wine", shared.store, silent)
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    run(recipe, data, shared.store)
    identifier = shared.workspaces.create("wine")
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier
