"""Cash-flow models. Called, the package loads one: ``fundappraise.model("logistics/property")``.

``model`` is both a public function and the folder of its code; once any module below it is imported, Python binds the name
to the folder. So the folder can be called, and the name means the same before and after.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fundappraise.model.items import Model


class _Loader(ModuleType):
    def __call__(self, name: str, folder: Path | None = None) -> Model:
        """The model of a shipped name or of a file; see ``load.load_model``."""
        from fundappraise.model.load import load_model

        return load_model(name, folder)


sys.modules[__name__].__class__ = _Loader
