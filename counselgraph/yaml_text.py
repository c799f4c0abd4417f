"""YAML, read by libyaml where PyYAML was built with it: about ten times as fast, which shows in every start."""

from __future__ import annotations

from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> Any:
    """The one document in a text, of plain types only.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
