"""Unit tests open no socket; those that talk to a server of their own say so with `allow_hosts`."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("allow_hosts") is None:
            item.add_marker(pytest.mark.disable_socket)
