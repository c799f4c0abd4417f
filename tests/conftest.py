"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real test inputs, which is not part of the repository."""
    folder = os.environ.get("COUNSELGRAPH_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"test inputs not present: {folder or 'COUNSELGRAPH_TEST_DATA is not set'}")
    return Path(folder)
