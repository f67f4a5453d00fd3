"""The map with its silhouettes, and what can be done with the rows chosen there."""

from explorer.ui import state
from explorer.ui.empty import ready
from explorer.ui.map_page import show_page
from explorer.ui.notes_view import show_run_notes
from explorer.ui.problem import problems_shown
from explorer.ui.recipe_form import show_stale

with problems_shown():
    current = ready("The map shows every row as a point; rows that are alike lie near each other.")
    if current is not None:
        draft = state.draft()
        if draft is not None:
            show_stale(current, draft)
        show_page(current, state.cluster_names())
        show_run_notes(current)
