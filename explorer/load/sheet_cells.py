"""The rows of an Excel sheet as they stand in its file, and the formulas nobody ever computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import number_of
from explorer.load.limits import MAX_PLACES, MAX_ROWS
from explorer.load.options import Upload

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_FORMULA_TAG = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}f"


@dataclass
class Formulas:
    """Formulas without a saved result: their number, the first cells (B7) and their rows."""

    count: int = 0
    cells: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def note(self, row: int, column: int) -> None:
        """One more."""
        from openpyxl.utils import get_column_letter

        self.count += 1
        if len(self.cells) < MAX_PLACES:
            self.cells.append(f"{get_column_letter(column)}{row}")
            self.rows.append(row)

    def issues(self) -> tuple[Issue, ...]:
        """One line for the report, or none."""
        if not self.count:
            return ()
        return (Issue("warning", "FORMULAS_WITHOUT_VALUE",
                      f"{number_of(self.count, 'cell')} hold a formula whose result was never "
                      f"saved, first {self.cells[0]}: read as empty. Open the workbook in a "
                      "spreadsheet program, save it there and upload it again.", self.count,
                      tuple(self.rows), tuple(self.cells)),)


def rows_of(upload: Upload, sheet: ReadOnlyWorksheet,
            formulas: Formulas) -> Iterator[tuple[int, list[Any]]]:
    """Every row with its number and its values up to the last cell in it; rows without cells are
    left out.

    openpyxl's own iteration makes an empty row for each number a file passes over (a file can pass
    over a trillion) and drops rows and cells that stand in another order than their numbers.

    Raises InputError DAMAGED, TOO_MANY_ROWS.
    """
    from openpyxl.worksheet._reader import WorkSheetParser

    class Parser(WorkSheetParser):  # type: ignore[misc]
        """Notices formulas, whose text is passed over when values are read."""

        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            if cell["value"] is None and element.find(_FORMULA_TAG) is not None:
                formulas.note(cell["row"], cell["column"])
            return cell

    book = sheet.parent
    last = 0
    with sheet._get_source() as source:
        parser = Parser(source, sheet._shared_strings, data_only=True, epoch=book.epoch,
                        date_formats=book._date_formats,
                        timedelta_formats=book._timedelta_formats)
        for place, cells in parser.parse():
            if place > MAX_ROWS:
                raise InputError("TOO_MANY_ROWS", f"A sheet must have at most {MAX_ROWS:,} rows, "
                                                  f"got one numbered {place:,}.",
                                 Where(file=upload.name), "Upload a part of it.")
            columns = [cell["column"] for cell in cells]
            if place <= last or any(cell["row"] != place for cell in cells) \
                    or columns != sorted(set(columns)):
                raise InputError("DAMAGED", "Rows and cells of a sheet must follow each other, got "
                                            f"row {place} after row {last}, or cells that belong "
                                            "elsewhere.", Where(file=upload.name, row=place),
                                 "Open it in a spreadsheet program and save it again.")
            last = place
            values: list[Any] = [None] * (columns[-1] if columns else 0)
            for cell in cells:
                values[cell["column"] - 1] = cell["value"]
            yield place, values
