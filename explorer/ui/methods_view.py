"""Declarations as documentation."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.escape import esc_md
from explorer.spec import Parameter, Registry


def show_registry(registry: Registry[Any]) -> None:
    """One block per method: what it is, its parameters."""
    for method in registry:
        st.subheader(method.title, anchor=False)
        st.markdown(esc_md(method.describe()))
        records = [_record(parameter) for parameter in method.parameters()]
        if records:
            st.dataframe(records, hide_index=True)
        st.caption(f"Key {esc_md(method.key)}, version {method.version}")


def _record(parameter: Parameter) -> dict[str, str]:
    default = parameter.default
    return {"parameter": parameter.name, "allowed": _allowed(parameter),
            "default": "automatic" if default is None else str(default),
            "what it does": parameter.description}


def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(parameter.choices)
    if parameter.low is None and parameter.high is None:
        return {"bool": "yes or no", "int": "whole number", "float": "number"}.get(
            parameter.kind, "text")
    low = "" if parameter.low is None else (
        f"above {parameter.low:g}" if parameter.exclusive_low else f"from {parameter.low:g}")
    high = "" if parameter.high is None else f"to {parameter.high:g}"
    return f"{low} {high}".strip()
