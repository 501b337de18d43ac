"""A model from a few lines of TOML, for tests of loading, checking, scheduling and evaluation."""

from pathlib import Path

from fundappraise.model.items import Model
from fundappraise.model.load import load_model


def item(name: str, formula: str, unit: str = "1", kind: str = "amount", **more: object) -> str:
    extra = "".join(f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n" for key, value in more.items())
    return f'[items.{name}]\nlabel = "{name}"\nunit = "{unit}"\nkind = "{kind}"\nformula = "{formula}"\n{extra}\n'


def given(name: str, unit: str = "1", *, by_period: bool = False, more: str = "") -> str:
    by = 'by = "period"\n' if by_period else ""
    return f'[assumptions.{name}]\nlabel = "{name}"\nunit = "{unit}"\n{by}{more}\n'


def load(folder: Path, *parts: str, head: str = "", name: str = "m.toml") -> Model:
    (folder / name).write_text(f'title = "M"\nsector = "it"\nsummary = "S"\n{head}\n' + "".join(parts), encoding="utf-8")
    return load_model(name, folder)
