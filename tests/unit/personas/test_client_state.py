"""The typed private state of clients that change: evolving complaints and readiness to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.personas import Persona, dump_persona, load_personas
from counselgraph.personas.evolving import EarlierMemory, EvolvingProfile, Mood
from counselgraph.personas.motivation import MotivationProfile, Stage

LIBRARY = load_personas("builtin").personas


def test_three_personas_of_the_library_carry_each_state_and_nobody_both() -> None:
    evolving = [persona for persona in LIBRARY if persona.evolving]
    moved = [persona for persona in LIBRARY if persona.motivation]
    assert len(evolving) == len(moved) == 3
    assert not {persona.id for persona in evolving} & {persona.id for persona in moved}
    assert all(persona.risk.level < 2 for persona in (*evolving, *moved))


def test_the_states_of_the_library_are_whole_sentences_that_are_said_nowhere_else() -> None:
    for persona in LIBRARY:
        texts = [*persona.evolving.complaints] if persona.evolving else []
        if persona.motivation:
            assert len(persona.motivation.topics) >= 3
            assert len(persona.motivation.beliefs) >= 2
            texts += [persona.motivation.motivation, *persona.motivation.beliefs, *persona.motivation.plans]
        assert [text for text in texts if text[-1] not in ".!?"] == []
        rest = persona.model_copy(update={"evolving": None, "motivation": None}).model_dump_json()
        assert [text for text in texts if text in rest] == []
        assert len(texts) == len(set(texts))
    assert {p.motivation.stage for p in LIBRARY if p.motivation} == set(Stage) - {Stage.ACTION}
    assert all(len(p.evolving.complaints) >= 4 for p in LIBRARY if p.evolving)


def test_the_counselor_is_told_nothing_of_either_state() -> None:
    for persona in LIBRARY:
        intake = persona.for_counselor().model_dump_json()
        told = [*persona.evolving.complaints] if persona.evolving else []
        if persona.motivation:
            told += [persona.motivation.motivation, *persona.motivation.beliefs, persona.motivation.stage]
        assert [text for text in told if text in intake] == []


def test_the_client_keeps_both_states() -> None:
    persona = next(persona for persona in LIBRARY if persona.evolving)
    assert persona.for_client().evolving == persona.evolving


def test_a_persona_without_state_is_written_without_it() -> None:
    persona = next(persona for persona in LIBRARY if not persona.evolving and not persona.motivation)
    assert "evolving" not in dump_persona(persona)
    assert "motivation" not in dump_persona(persona)


@given(st.lists(st.text(min_size=1).filter(str.strip), max_size=5), st.integers(-3, 9))
def test_every_stage_has_a_complaint_and_the_last_one_stays(complaints: list[str], stage: int) -> None:
    profile = EvolvingProfile(complaints=tuple(complaints))
    said = profile.complaint(stage)
    assert said in profile.complaints or (said == "" and not complaints)
    assert profile.complaint(99) == (profile.complaints[-1] if complaints else "")


@given(st.lists(st.integers(1, 5), max_size=6))
def test_receptivity_is_a_share(ratings: list[int]) -> None:
    assert 0 <= MotivationProfile(change="it", suggestibility=tuple(ratings)).receptivity <= 1


def test_stages_follow_each_other_and_the_last_one_stays() -> None:
    assert [stage.next for stage in Stage] == [Stage.CONTEMPLATION, Stage.PREPARATION, Stage.ACTION, Stage.ACTION]


def test_earlier_sessions_are_counted() -> None:
    memories = (EarlierMemory(session=1, text="a"), EarlierMemory(session=3, text="b"))
    assert EvolvingProfile(earlier=memories).sessions == 3
    assert EvolvingProfile().sessions == 0


@pytest.mark.parametrize(
    "value", [{"inertia": 1.5}, {"baseline": {"valence": -2}}, {"earlier": [{"text": ""}]}, {"x": 1}]
)
def test_impossible_states_are_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EvolvingProfile.model_validate(value)


def test_states_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Mood().word = "joy"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("state", "field", "fix"),
    [
        ("motivation: {change: less tea, stage: asleep}", "motivation.stage", "change the value"),
        ("motivation: {change: less tea, suggestibility: [7]}", "motivation.suggestibility.1", "change the value"),
        ("motivation: {stage: action}", "motivation.change", "add it"),
        ("evolving: {complaint: [x]}", "evolving.complaint", "complaints"),
    ],
)
def test_a_bad_state_in_a_file_is_named(state: str, field: str, fix: str, tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"id: ann\nname: Ann\npresenting_problem: {{statement: I worry.}}\n{state}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_personas(path)
    assert (caught.value.file, caught.value.record, caught.value.field) == (str(path), 1, field)
    assert caught.value.fix is not None
    assert fix in caught.value.fix


def test_a_persona_with_both_states_survives_yaml(tmp_path: Path) -> None:
    base = next(persona for persona in LIBRARY if persona.evolving)
    persona = base.model_copy(update={"motivation": MotivationProfile(change="less tea", stage=Stage.ACTION)})
    (tmp_path / "one.yaml").write_text(dump_persona(persona), encoding="utf-8")
    assert load_personas(tmp_path / "one.yaml").personas == (Persona.model_validate(persona.model_dump()),)
