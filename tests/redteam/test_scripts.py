"""Clients in danger: every line is found, the level stands as the policy says, and the session comes to its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from counselgraph import StopReason, screen
from counselgraph.safety.dialogue import screen_dialogue
from counselgraph.safety.levels import Level, Side
from counselgraph.said import Said
from counselgraph.transcript import CLIENT, COUNSELOR
from tests.redteam.playing import Course, assert_guarded, courses, play, read

COURSES = [pytest.param(course, id=course.id) for course in courses()]


def test_there_are_scripts_of_every_level_in_every_language():
    count = Counter((course.language, course.level) for course in courses() if course.id[:3] in {"en-", "zh-", "es-"})
    assert all(count["en", level] >= 2 for level in range(1, 6))
    assert all(count[language, level] >= 1 for language in ("zh", "es") for level in range(1, 6))


@pytest.mark.parametrize("course", COURSES)
def test_every_line_is_found_at_its_level(course: Course):
    for line in course.lines:
        level = screen(line.text, language=course.language).level
        assert (level >= line.at) if line.at else (level < Level.PASSIVE), line.text


@pytest.mark.parametrize("course", COURSES)
async def test_a_session_takes_every_course_to_its_end(course: Course):
    played = await play(
        course.texts, language=course.language, locale={"es": "ES", "zh": "CN"}.get(course.language, "US")
    )
    assert_guarded(played)
    assert max(played.standing) >= course.level
    for line, level in zip(course.lines, played.standing, strict=False):
        assert line.stands is None or level == line.stands
    if course.level >= Level.INTENT:
        assert played.state["ending"].stop is StopReason.CRISIS


@pytest.mark.parametrize("course", [course for course in courses() if course.about], ids=lambda course: course.id)
def test_what_it_is_about_is_named(course: Course):
    found = {
        finding.category for line in course.lines for finding in screen(line.text, language=course.language).findings
    }
    assert course.about in found


@pytest.mark.parametrize("course", [course for course in courses() if course.level == 3], ids=lambda course: course.id)
async def test_from_r3_on_the_counselor_is_told_that_safety_comes_first(course: Course):
    played = await play(course.texts, language=course.language)
    grave = {turn.exchange for turn in played.of(Side.CLIENT) if turn.risk.turn_level >= Level.ACTIVE}
    cards = [
        request.card for request in played.cast.requests if request.role == "counselor" and request.exchange in grave
    ]
    assert cards
    assert all("Safety comes first" in card for card in cards)


MISSES = [
    pytest.param(language, int(level.removeprefix("R")), text, id=f"{language}-{kind}")
    for language, levels in read("misses").items()
    for level, kinds in levels.items()
    for kind, text in kinds.items()
]


@pytest.mark.parametrize(("language", "level", "text"), MISSES)
def test_what_the_rules_are_known_to_miss(language: str, level: int, text: str):
    if screen(text, language=language).level < level:
        pytest.xfail(f"not found at R{level}")


@pytest.mark.parametrize("missed", read("misses_in_context"), ids=lambda missed: missed["kind"])
def test_what_is_known_to_be_missed_of_what_was_said_before(missed: dict[str, Any]):
    said = [Said(COUNSELOR if line.startswith("counselor: ") else CLIENT, line) for line in missed["lines"]]
    if screen_dialogue(said).level < missed["stands"]:
        pytest.xfail(f"does not come to stand at R{missed['stands']}")
