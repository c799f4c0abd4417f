from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import counselgraph

HEAVY = ("langgraph", "langchain_core", "langchain_openai", "chromadb", "numpy", "pydantic", "openai", "rich", "yaml")
SWITCHES = {
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "ANONYMIZED_TELEMETRY": "False",
    "HF_HUB_OFFLINE": "1",
    "LANGGRAPH_STRICT_MSGPACK": "true",
}


def in_a_new_process(script: str, **environment: str) -> str:
    command = [sys.executable, "-W", "error", "-c", script]
    clean = {key: value for key, value in os.environ.items() if key not in SWITCHES}
    done = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", counselgraph.__all__)
def test_every_public_name_can_be_had_and_says_what_it_is(name: str) -> None:
    value = getattr(counselgraph, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__
        assert value.__module__.startswith("counselgraph.")


def test_the_list_of_public_names_is_sorted_and_agrees_with_the_table_of_their_homes() -> None:
    names = [name for name in counselgraph.__all__ if name != "__version__"]
    assert names == sorted(names)
    assert set(names) == set(counselgraph._WHERE)
    assert len(counselgraph._WHERE) == sum(len(home) for home in counselgraph._HOMES.values())
    assert dir(counselgraph) == sorted(counselgraph.__all__)


def test_what_a_type_checker_sees_is_what_is_imported() -> None:
    source = Path(counselgraph.__file__).read_text(encoding="utf-8")
    imported = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("counselgraph.")
        for alias in node.names
    }
    homes = {(f"counselgraph.{home}", name) for home, names in counselgraph._HOMES.items() for name in names}
    assert imported == homes | {("counselgraph.privacy", "keep_quiet")}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Therapist'"):
        counselgraph.Therapist  # noqa: B018 - the look-up is what is tested


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = in_a_new_process("import counselgraph, sys; print(*sys.modules)").split()
    assert not {name.partition(".")[0] for name in loaded} & set(HEAVY)


def test_naming_the_run_spec_does_not_load_the_graph_or_the_store() -> None:
    loaded = in_a_new_process("from counselgraph import RunSpec; import sys; print(*sys.modules)").split()
    assert not {"langgraph", "chromadb", "openai"} & {name.partition(".")[0] for name in loaded}


def test_importing_the_package_keeps_it_quiet() -> None:
    script = f"import counselgraph, os; print(*(os.environ[name] for name in {list(SWITCHES)}))"
    told = in_a_new_process(script, LANGSMITH_TRACING="true", LANGCHAIN_TRACING_V2="true")
    assert told.split() == list(SWITCHES.values())


def test_tracing_can_be_allowed_on_purpose() -> None:
    script = "import counselgraph, os; print(os.environ['LANGSMITH_TRACING'])"
    assert in_a_new_process(script, LANGSMITH_TRACING="true", COUNSELGRAPH_ALLOW_TRACING="1") == "true"


def test_the_package_is_typed() -> None:
    assert (Path(counselgraph.__file__).parent / "py.typed").is_file()
