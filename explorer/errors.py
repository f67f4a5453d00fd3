"""The one shape every refusal has: what is wrong, where, what was expected, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Where:
    """The place an error points at. Rows count as an editor counts them (line 1 is the header)."""

    file: str | None = None
    row: int | None = None
    column: str | None = None
    entry: str | None = None
    byte: int | None = None
    parameter: str | None = None

    def __str__(self) -> str:
        parts = [f"{name} {value}" for name, value in asdict(self).items() if value is not None]
        return ", ".join(parts)


@dataclass
class ExplorerError(Exception):
    """A refusal as data. Tests assert on `code` and `where`; people read `message` and `hint`.

    `message` follows '{what} must be {allowed}, got {given}.'; `hint` says what to do next;
    `choices` are the names (arrays, sheets, columns) of which one would do.
    """

    code: str
    message: str
    where: Where = field(default_factory=Where)
    hint: str = ""
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f" ({self.where})" if str(self.where) else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.message}{place}{hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.code, self.message, self.where, self.hint, self.choices))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a file, a job record or a page."""
        place = {name: value for name, value in asdict(self.where).items() if value is not None}
        return {
            "kind": type(self).__name__,
            "code": self.code,
            "message": self.message,
            "where": place,
            "hint": self.hint,
            "choices": list(self.choices),
        }


class InputError(ExplorerError):
    """An uploaded file cannot be read as what it claims to be."""


class DataError(ExplorerError):
    """The rows or vectors do not allow what was asked of them."""


class ParameterError(ExplorerError):
    """A parameter is outside its bounds, unknown, or does not fit the data."""


class ResultError(ExplorerError):
    """A method gave something that cannot be true: not finite, wrong shape, degenerate."""


class JobError(ExplorerError):
    """A job ended without a result: killed, out of memory, lost."""


class StoreError(ExplorerError):
    """The store or the workspace cannot be read or written."""


class Cancelled(ExplorerError):
    """Somebody stopped the job."""

    def __init__(self, code: str = "CANCELLED", message: str = "Stopped on request.",
                 where: Where | None = None, hint: str = "",
                 choices: tuple[str, ...] = ()) -> None:
        super().__init__(code, message, where or Where(), hint, choices)


_KINDS: dict[str, type[ExplorerError]] = {
    kind.__name__: kind
    for kind in (ExplorerError, InputError, DataError, ParameterError, ResultError, JobError,
                 StoreError, Cancelled)
}


def error_from_dict(data: dict[str, Any]) -> ExplorerError:
    """The inverse of `ExplorerError.to_dict`."""
    kind = _KINDS.get(str(data.get("kind")), ExplorerError)
    return kind(str(data["code"]), str(data["message"]), Where(**data.get("where", {})),
                str(data.get("hint", "")), tuple(map(str, data.get("choices", ()))))
