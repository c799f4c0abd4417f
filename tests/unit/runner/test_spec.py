from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.runner.spec import RunSpec

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
specs = st.builds(
    RunSpec,
    personas=words,
    limit=st.none() | st.integers(1, 10**6),
    model=words,
    models=st.dictionaries(words, words, max_size=3),
    params=st.dictionaries(words, st.booleans() | st.integers(-5, 5) | st.floats(0, 2) | words, max_size=3),
    roles=st.lists(words, max_size=3).map(tuple),
    seed=st.integers(-(2**70), 2**70),
    replicates=st.integers(1, 9),
    opens=st.sampled_from(["client", "counselor"]),
    max_exchanges=st.integers(5, 60),
    min_exchanges=st.integers(0, 5),
    language=st.none() | st.sampled_from(["en", "de", "zh-CN"]),
    memory=words,
    out=words.map(Path),
)


@given(specs)
def test_a_spec_survives_a_yaml_file(spec: RunSpec) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "spec.yaml"
        file.write_text(yaml.safe_dump(spec.dump(), allow_unicode=True), encoding="utf-8")
        again = RunSpec.load(file)
    assert again == spec
    assert again.what_differs(spec) == {}


def test_keyword_arguments_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("seed: 3\nlimit: 4\n")
    spec = RunSpec.load(tmp_path / "spec.yaml", seed=5)
    assert (spec.seed, spec.limit) == (5, 4)


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"replicate": 2}, "replicate", "did you mean `replicates`?"),
        ({"colour": 2}, "colour", "use one of: personas"),
        ({"limit": 0}, "limit", "got 0"),
        ({"opens": "planner"}, "opens", "counselor"),
        ({"locale": "us"}, "locale", "got 'us'"),
        ({"language": "english"}, "language", "got 'english'"),
        ({"max_exchanges": "many"}, "max_exchanges", "got 'many'"),
        ({"models": {"client": 3}}, "models.client", "got 3"),
        ({"min_exchanges": 9, "max_exchanges": 3}, None, "min_exchanges (9) is above max_exchanges (3)"),
    ],
)
def test_what_is_wrong_names_the_field_and_the_value(values: dict[str, Any], field: str | None, said: str) -> None:
    with pytest.raises(InputError) as caught:
        RunSpec.of(values, where="spec.yaml")
    assert caught.value.field == field
    assert caught.value.fix
    assert str(caught.value).startswith("spec.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"- a\n- b\n", b"just text", b"", b"seed: [1\n", b"\xff\xfe\x00"])
def test_a_file_that_holds_no_spec_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spec.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"spec\.yaml"):
        RunSpec.load(tmp_path / "spec.yaml")


def test_only_what_decides_about_results_counts_as_a_difference() -> None:
    spec = RunSpec(seed=1)
    elsewhere = {"out": Path("other"), "concurrency": 2, "max_calls": 1, "timeout_s": 5.0, "skip_bad": True}
    assert spec.what_differs(spec.model_copy(update=elsewhere)) == {}
    assert spec.what_differs(RunSpec(seed=2, limit=4)) == {"seed": (1, 2), "limit": (None, 4)}


def test_a_spec_does_not_change() -> None:
    with pytest.raises(ValidationError):
        RunSpec().seed = 3  # type: ignore[misc]  # what the test is about
