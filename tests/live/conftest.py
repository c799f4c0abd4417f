"""A real vLLM for the whole session of tests, started by our own command. See `make test-live`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.server import ServeModel

PYTHON = "COUNSELGRAPH_VLLM_PYTHON"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def vllm_python() -> str:
    """The interpreter that has vLLM for the CPU."""
    python = os.environ.get(PYTHON)
    if not python:
        pytest.skip(f"no vLLM here: {PYTHON} names no interpreter that has it (make test-live sets one up)")
    return python


@pytest.fixture(scope="session")
def tiny_model(vllm_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that talks nonsense in a real format."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run([vllm_python, HERE / "tiny_model.py", folder], check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def shared(vllm_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeModel]:
    server = ServeModel(tiny_model, vllm_python, tmp_path_factory.mktemp("served"))
    yield server
    server.stop()


@pytest.fixture
def server(shared: ServeModel) -> ServeModel:
    """The server, running: a test that ended it does not leave the next one without."""
    if not shared.runs:
        shared.start()
    return shared
