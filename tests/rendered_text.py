"""Finds text that reaches a Streamlit call which renders Markdown, and not by way of esc_md.

Read from the source alone. A text is safe when it is a constant, `esc_md(...)`, a number with a
number's format, or put together from such: by f-strings, `+`, joins, conditions, local names, and
functions of ours whose every return is safe. A parameter that is shown makes its function one that
renders Markdown too: then its callers are looked at.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LABELS = ("button", "form_submit_button", "download_button", "link_button", "menu_button",
          "checkbox", "toggle", "radio", "selectbox", "multiselect", "select_slider", "slider",
          "number_input", "text_input", "text_area", "date_input", "datetime_input", "time_input",
          "color_picker", "file_uploader", "camera_input", "audio_input", "segmented_control",
          "pills", "expander", "popover", "status", "metric", "dialog", "tabs")
BODIES = ("markdown", "caption", "error", "warning", "info", "success", "toast", "title", "header",
          "subheader", "spinner", "html")
SHOWN: dict[str, tuple[tuple[int, str], ...]] = {
    **dict.fromkeys(LABELS, ((0, "label"),)), **dict.fromkeys(BODIES, ((0, "body"),)),
    "tabs": ((0, "tabs"),), "spinner": ((0, "text"),), "progress": ((1, "text"),),
    "image": ((1, "caption"),), "page_link": ((9, "label"),), "Page": ((9, "title"),),
    "write": tuple((at, "") for at in range(9)), "exception": ((0, "exception"),)}
CHOICES = ("radio", "segmented_control", "pills")
"""Their options are Markdown too."""
_NUMBER_FORMAT = re.compile(r"[<>=^+\- 0-9]*,?(\.\d+)?[dfgeEG%n]?")
_NUMBERS = ("len", "round", "int", "float", "sum")
_KEEPERS = ("strip", "lower", "upper", "capitalize", "removeprefix", "removesuffix", "rstrip",
            "lstrip", "split")
_LISTS = ("list", "tuple", "reversed", "sorted", "set", "str")
_DECLARED = re.compile(r"((self\.)?parameter|method|cls|judge|sample)\.(title|name|version|key)|"
                       r"FORMATS\[key\]\.title|form\.file")
"""Written in our source for every method and format, never by people or files."""


@dataclass(frozen=True)
class Function:
    """A function of ours and where it stands."""

    module: str
    node: ast.FunctionDef

    @property
    def parameters(self) -> list[ast.arg]:
        given = self.node.args
        return [*given.posonlyargs, *given.args, *given.kwonlyargs]


@dataclass
class Sources:
    """Parsed modules by dotted name, and what was found in them."""

    trees: Mapping[str, ast.Module]
    obliged: set[tuple[str, str, str]] = field(default_factory=set)
    """(module, function, parameter) whose callers have to bring safe text."""

    def __post_init__(self) -> None:
        self.functions = {(module, node.name): Function(module, node)
                          for module, tree in self.trees.items() for node in ast.walk(tree)
                          if isinstance(node, ast.FunctionDef)}
        self.imports = {module: dict(_imported(tree)) for module, tree in self.trees.items()}
        self._judging: set[tuple[str, str]] = set()
        self._needed: dict[tuple[str, str], set[str]] = {}

    def found(self) -> list[str]:
        """'module:line what' for every place."""
        bad = {place for module, tree in self.trees.items() if _shows(module)
               for place in self._bad_sinks(module, tree)}
        done: set[tuple[str, str, str]] = set()
        while self.obliged - done:
            waiting = self.obliged - done
            done |= waiting
            for module, tree in self.trees.items():
                bad |= set(self._bad_calls(module, tree, waiting))
        return sorted(bad)

    def _bad_sinks(self, module: str, tree: ast.Module) -> Iterator[str]:
        for scope, call in _calls(tree):
            if not isinstance(call.func, ast.Attribute) or _is_stream(call.func.value):
                continue
            name = call.func.attr
            options = {keyword.arg: keyword.value for keyword in call.keywords}
            shown = [options.get("help")]
            for at, keyword in SHOWN.get(name, ()):
                shown.append(call.args[at] if at < len(call.args) else options.get(keyword))
            if name in CHOICES:
                chosen = call.args[1] if len(call.args) > 1 else options.get("options")
                shown += [options.get("format_func", chosen), options.get("captions")]
            for text in shown:
                if text is not None and not self.safe(text, scope, module):
                    yield f"{module}:{text.lineno} {name}({ast.unparse(text)[:60]})"

    def _bad_calls(self, module: str, tree: ast.Module,
                   obliged: set[tuple[str, str, str]]) -> Iterator[str]:
        for scope, call in _calls(tree):
            function = self._called(call, module)
            if function is None:
                continue
            for at, parameter in enumerate(function.parameters):
                if (function.module, function.node.name, parameter.arg) not in obliged:
                    continue
                for text in _argument(call, at, parameter.arg):
                    if not self.safe(text, scope, module):
                        yield (f"{module}:{text.lineno} {function.node.name}"
                               f"({ast.unparse(text)[:60]})")

    def safe(self, text: ast.expr, scope: ast.FunctionDef | None, module: str) -> bool:
        """Whether nothing of a stranger's can be markup in this text (or these texts)."""
        def all_safe(*parts: ast.expr) -> bool:
            return all(self.safe(part, scope, module) for part in parts)

        match text:
            case ast.Constant():
                return True
            case ast.JoinedStr():
                return all_safe(*text.values)
            case ast.FormattedValue():
                return _number_format(text.format_spec) or all_safe(text.value)
            case ast.IfExp():
                return all_safe(text.body, text.orelse)
            case ast.BoolOp():
                return all_safe(*text.values)
            case ast.Compare():
                return True
            case ast.BinOp():
                return all_safe(text.left, text.right)
            case ast.UnaryOp():
                return all_safe(text.operand)
            case ast.List() | ast.Tuple() | ast.Set():
                return all_safe(*text.elts)
            case ast.Dict():
                return all_safe(*text.values, *(key for key in text.keys if key is not None))
            case ast.Starred() | ast.NamedExpr():
                return all_safe(text.value)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return all_safe(text.elt)
            case ast.Lambda():
                return all_safe(text.body)
            case ast.Subscript():
                return all_safe(text.value)
            case ast.Name():
                return self._safe_name(text.id, scope, module)
            case ast.Call():
                return self._safe_call(text, scope, module)
            case ast.Attribute():
                return (bool(_DECLARED.fullmatch(ast.unparse(text)))
                        or self._safe_property(text, scope, module))
        return False

    def _safe_call(self, call: ast.Call, scope: ast.FunctionDef | None, module: str) -> bool:
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(call.func, ast.Name):
            if call.func.id == "esc_md" or call.func.id in _NUMBERS:
                return True
            if call.func.id == "map":
                return isinstance(call.args[0], ast.Name) and call.args[0].id == "esc_md"
            if call.func.id in _LISTS:
                return all(self.safe(part, scope, module) or self._safe_keys(part, module)
                           for part in arguments)
        elif isinstance(call.func, ast.Attribute):
            base = call.func.value
            if call.func.attr == "strftime":
                return all(self.safe(part, scope, module) for part in arguments)
            if call.func.attr == "get":
                return all(self.safe(part, scope, module) for part in (base, *arguments[1:]))
            if call.func.attr in (*_KEEPERS, "join", "keys", "values"):
                return all(self.safe(part, scope, module) for part in (base, *arguments))
            if call.func.attr == "fromkeys":
                return self.safe(call.args[0], scope, module)
        function = self._called(call, module)
        return function is not None and self._safe_function(function) and all(
            self.safe(part, scope, module)
            for at, parameter in enumerate(function.parameters)
            if parameter.arg in self._needed[function.module, function.node.name]
            for part in _argument(call, at, parameter.arg))

    def _safe_function(self, function: Function) -> bool:
        """Whether all it returns is safe, as long as the text parameters it returns are (they are
        noted in `_needed`)."""
        name = (function.module, function.node.name)
        if name in self._judging:  # recursion adds nothing of its own
            return True
        self._judging.add(name)
        self._needed.setdefault(name, set())
        before, self.obliged = self.obliged, set()
        try:
            returned = [node.value for node in ast.walk(function.node)
                        if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None]
            return bool(returned) and all(self.safe(text, function.node, function.module)
                                          for text in returned)
        finally:
            self._needed[name] |= {parameter for *place, parameter in self.obliged
                                   if tuple(place) == name}
            self._judging.discard(name)
            self.obliged = before  # the call at hand answers for its arguments

    def _safe_property(self, text: ast.Attribute, scope: ast.FunctionDef | None,
                       module: str) -> bool:
        """A property of a name whose class stands in this module."""
        if scope is None or not isinstance(text.value, ast.Name):
            return False
        name = text.value.id
        kinds = {ast.unparse(parameter.annotation) for parameter in Function(
            module, scope).parameters if parameter.arg == name and parameter.annotation}
        kinds |= {ast.unparse(value.func) for value in _assigned(scope, name)
                  if isinstance(value, ast.Call)}
        for owner in self.trees[module].body:
            if isinstance(owner, ast.ClassDef) and owner.name in kinds:
                return any(self._safe_function(Function(module, node)) for node in owner.body
                           if isinstance(node, ast.FunctionDef) and node.name == text.attr)
        return False

    def _safe_keys(self, part: ast.expr, module: str) -> bool:
        """The keys of a dictionary of this module."""
        found = list(_assigned(self.trees[module], part.id)) if isinstance(part, ast.Name) else []
        return bool(found) and all(isinstance(value, ast.Dict) and all(
            isinstance(key, ast.Constant) for key in value.keys) for value in found)

    def _safe_name(self, name: str, scope: ast.FunctionDef | None, module: str) -> bool:
        if scope is not None:
            for parameter in Function(module, scope).parameters:
                if parameter.arg == name:
                    return self._safe_parameter(parameter, scope, module)
            given = list(_assigned(scope, name))
            if given:
                return all(value is not None and self.safe(value, scope, module)
                           for value in given)
        constants = list(_assigned(self.trees[module], name))
        if constants:
            return all(value is not None and self.safe(value, None, module)
                       for value in constants)
        return False

    def _safe_parameter(self, parameter: ast.arg, scope: ast.FunctionDef, module: str) -> bool:
        if _is_text(parameter):
            self.obliged.add((module, scope.name, parameter.arg))
            return True
        kind = ast.unparse(parameter.annotation) if parameter.annotation else ""
        return kind in ("int", "float", "bool", "int | None", "float | None")

    def _called(self, call: ast.Call, module: str) -> Function | None:
        if not isinstance(call.func, ast.Name):
            return None
        name = call.func.id
        home, name = self.imports[module].get(name, (module, name))
        if (home, name) not in self.functions and home in self.trees:
            for value in _assigned(self.trees[home], name):  # another name for a function
                name = value.id if isinstance(value, ast.Name) else name
        return self.functions.get((home, name))


def unescaped(sources: Mapping[str, str]) -> list[str]:
    """Module name -> source; every place where a page may render a stranger's text as Markdown."""
    return Sources({name: ast.parse(text) for name, text in sources.items()}).found()


def _shows(module: str) -> bool:
    return module == "app" or module.startswith(("pages.", "explorer.ui"))


def _is_stream(receiver: ast.expr) -> bool:
    return ast.unparse(receiver).endswith(("stderr", "stdout", "_log", "stream", "file"))


def _is_text(parameter: ast.arg) -> bool:
    return parameter.annotation is not None and bool(
        re.search(r"\bstr\b", ast.unparse(parameter.annotation))) and not re.search(
            r"dict|Mapping|Callable", ast.unparse(parameter.annotation))


def _number_format(spec: ast.expr | None) -> bool:
    """A format that raises for a text, so what it formats is a number."""
    if not isinstance(spec, ast.JoinedStr) or len(spec.values) != 1:
        return False
    only = spec.values[0]
    words = str(only.value) if isinstance(only, ast.Constant) else ""
    return bool(_NUMBER_FORMAT.fullmatch(words)) and ("," in words or words[-1:].isalpha()
                                                      or words.endswith("%"))


def _calls(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Every call with the function around it."""
    inside: dict[ast.AST, ast.FunctionDef] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            inside |= dict.fromkeys(ast.walk(node), node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield inside.get(node), node


def _argument(call: ast.Call, at: int, name: str) -> list[ast.expr]:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return named or call.args[at:at + 1]


def _imported(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, (node.module, alias.name)


def _assigned(scope: ast.AST, name: str) -> Iterator[ast.expr | None]:
    """What a name is set to in a function (or at a module's top); None where that is not known."""
    nodes = list(ast.walk(scope)) if isinstance(scope, ast.FunctionDef) else [
        inner for node in getattr(scope, "body", [])
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) for inner in ast.walk(node)]
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _matched(target, value, name)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield from _matched(target, value, name)
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target,
                                                                           value=value):
                yield from _matched(target, value, name)
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                yield from _matched(target, value, name)
            case ast.withitem(optional_vars=ast.expr() as target):
                yield from _matched(target, ast.Constant(None), name, known=False)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner),
                                             attr="append" | "extend" | "insert" as how)):
                if owner == name:
                    yield from node.args[how == "insert":]


def _matched(target: ast.expr, value: ast.expr, name: str, *,
             known: bool = True) -> Iterator[ast.expr | None]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value if known else None
    elif isinstance(target, (ast.Tuple, ast.List)):
        pairs: list[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
            pairs = list(value.elts)
        elif isinstance(value, ast.Call):  # all it returns is safe, or nothing
            pairs = [value] * len(target.elts)
        for part, given in zip(target.elts, pairs, strict=True):
            if isinstance(part, ast.Name) and part.id == name:
                yield given
