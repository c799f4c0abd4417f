"""The rehearsal model's life between two sessions: events, mood with inertia, the task, relapse, and staying away."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.material import material_of
from counselgraph.models.rehearsal.events import Event, events_for
from counselgraph.models.rehearsal.fitness import suits
from counselgraph.models.rehearsal.lines import step_bank
from counselgraph.models.rehearsal.recall import task_technique
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.protocols.technique import ApproachName, approach_of

_PUSH = {Attitude.POSITIVE: 0.35, Attitude.NEUTRAL: 0.15, Attitude.NEGATIVE: -0.2}
"""Where the mood drifts, by how the client meets counseling."""
_TAKES_IN, _SUITED, _INERTIA, _WEATHER = 0.5, 0.2, 0.4, 0.9
_LEVELS_OFF = 0.7
"""What holds a mood back that has gone the same way twice."""
_RELAPSE = 1 / 6
_LEAVES = 0.03
_MOST_LEAVES = 0.12
_DAYS = ((7, 0.78), (14, 0.14), (8, 0.04), (10, 0.04))
_DONE = {
    Attitude.POSITIVE: (0.68, 0.22),
    Attitude.NEUTRAL: (0.42, 0.33),
    Attitude.NEGATIVE: (0.12, 0.25),
}
"""Shares of tasks that are done and half done."""
_LIFTS = 0.09
"""By how much a step of mood moves these shares."""
_LOW, _HIGH = -2, 2
_SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class _Gap:
    """The time after a session: whose it is, which one, and what went before."""

    persona: Persona
    number: int
    task: str
    before: Sequence[Interlude]
    chance: random.Random
    english: bool

    @property
    def at_risk(self) -> bool:
        """Whether the client carries thoughts of dying, so that nothing is to be added to its days."""
        return self.persona.risk.level > 0

    @property
    def moods(self) -> list[int]:
        """The moods so far, oldest first."""
        return [passed.mood for passed in self.before]


def live(request: Request) -> Answer:
    """What happens to the client until the next session, as an `Interlude` in JSON."""
    view = request.view
    gap = _Gap(
        persona=view["persona"],
        number=int(view.get("number", 1)),
        task=view.get("task") or "",
        before=tuple(view.get("interludes") or ()),
        chance=random.Random(request.seed),
        english=request.language == "en" and view["persona"].language == "en",
    )
    relapse = _relapses(gap)
    mood = gap.chance.choice((-2, -1)) if relapse else _mood(gap)
    homework = _homework(gap, mood, relapse=relapse)
    leaves = gap.chance.random() < _leaving(gap, mood)
    passed = Interlude(
        days=gap.chance.choices([days for days, _ in _DAYS], [share for _, share in _DAYS])[0],
        event=_event(gap, mood),
        mood=mood,
        homework=homework,
        homework_note=_note(gap, homework),
        relapse=relapse,
        leaves=leaves,
        reason=_reason(gap, mood) if leaves else "",
    )
    return Answer(text=passed.model_dump_json())


def _relapses(gap: _Gap) -> bool:
    """About one gap in six, half as often where the mood has risen twice or nothing has moved yet."""
    risen = len(gap.moods) > 1 and min(gap.moods[-2:]) > 0
    rare = risen or gap.number == 1
    drawn = gap.chance.random()
    last = bool(gap.before) and gap.before[-1].relapse
    return not gap.at_risk and not last and drawn < _RELAPSE * (0.5 if rare else 1.5)


def _mood(gap: _Gap) -> int:
    before = gap.moods[-1] if gap.moods else 0
    technique = task_technique(gap.task) if gap.task else None
    suited = technique is not None and approach_of(technique) in suits(gap.persona)
    push = _PUSH[gap.persona.attitude] + (gap.persona.receptivity - 0.5) * _TAKES_IN + _SUITED * suited
    twice = len(gap.moods) > 1 and gap.moods[-1] * gap.moods[-2] > 0
    level = _LEVELS_OFF * (1 if before > 0 else -1) if twice else 0
    value = _INERTIA * before + push - level + gap.chance.gauss(0, _WEATHER)
    return max(-1 if gap.at_risk else _LOW, min(_HIGH, round(value)))


def _homework(gap: _Gap, mood: int, *, relapse: bool) -> Homework:
    drawn = gap.chance.random()
    if not gap.task:
        return Homework.NONE
    if _only_invited(gap.task):
        return Homework.DONE
    done, half = _DONE[gap.persona.attitude]
    done = max(done + _LIFTS * mood, 0.04) * (0.5 if relapse else 1)
    if drawn < done:
        return Homework.DONE
    return Homework.HALF if drawn < done + half else Homework.UNDONE


def _only_invited(task: str) -> bool:
    """Whether what stands for a task was no more than an invitation to stay with something."""
    lines = step_bank(ApproachName.PERSON_CENTRED)["homework"]
    return any(line in task for part in ("first", "again") for line in lines[part])


def _note(gap: _Gap, homework: Homework) -> str:
    if homework is Homework.NONE or not gap.english:
        return ""
    told = [passed.homework_note for passed in gap.before]
    if _only_invited(gap.task):
        return str(gap.chance.choice(_unsaid(bank("life")["stayed"], told)))
    slots = {**material_of(gap.persona).slots, "day": gap.chance.choice(bank("client_frames")["days"])}
    fresh = [line for line in _reports(gap, homework) if not any(_same(line, note) for note in told)]
    lines = filled(fresh, slots) or filled(_plain(homework), slots)
    return str(gap.chance.choice(_unsaid(lines, told)))


def _unsaid(lines: Sequence[str], told: Sequence[str]) -> Sequence[str]:
    return [line for line in lines if line not in told] or lines


def _same(line: str, note: str) -> bool:
    """Whether a note was made from this line, with whatever words in its slots."""
    pattern = ".+?".join(re.escape(part) for part in _SLOT.split(line))
    return re.fullmatch(pattern, note) is not None


def _reports(gap: _Gap, homework: Homework) -> list[str]:
    technique = task_technique(gap.task)
    if homework is Homework.UNDONE:
        return list(bank("life")["undone"][gap.persona.attitude])
    return list(bank("homework")[technique][homework]) if technique in bank("homework") else _plain(homework)


def _plain(homework: Homework) -> list[str]:
    entry = bank("client_answers")["homework_review"]
    return list(entry["undone" if homework is Homework.UNDONE else f"{homework}_plain"])


def _event(gap: _Gap, mood: int) -> str:
    if not gap.english:
        return _own_words(gap)
    told = {passed.event for passed in gap.before}
    rising = gap.chance.choice((True, False)) if mood == 0 else mood > 0
    fresh = [event for event in events_for(gap.persona) if event.tell not in told and _bearable(gap, event)]
    fits = [event for event in fresh if event.rising is rising]
    lately = {event.area for event in events_for(gap.persona) if event.tell in told}
    new = [event for event in fits if event.area not in lately]
    return gap.chance.choice(new or fits or fresh).tell


def _bearable(gap: _Gap, event: Event) -> bool:
    """Nothing that darkens the days of somebody who carries thoughts of dying."""
    return not gap.at_risk or event.rising


def _own_words(gap: _Gap) -> str:
    """Something out of the client's own story, for a language the bank does not speak."""
    mind, problem = gap.persona.conceptualization, gap.persona.presenting_problem
    lines = [*mind.situations, *mind.behaviours, problem.course, problem.statement]
    known = [line for line in lines if line]
    return known[(gap.number - 1) % len(known)][:400]


def _leaving(gap: _Gap, mood: int) -> float:
    """The chance that the client does not come back."""
    if gap.number == 1 and gap.persona.attitude is Attitude.POSITIVE:
        return 0.0
    doubts = 1.5 if gap.persona.attitude is Attitude.NEGATIVE else 1.0
    falling = mood < 0 and (not gap.moods or gap.moods[-1] <= 0)
    return min(_LEAVES * doubts * (2 if falling and doubts > 1 else 1), _MOST_LEAVES)


def _reason(gap: _Gap, mood: int) -> str:
    if not gap.english:
        return ""
    reasons = bank("life")["reasons"]
    kinds = ["better"] if mood > 0 else ["worse"] if mood < 0 else ["outside"]
    kinds += ["doubt"] if gap.persona.attitude is Attitude.NEGATIVE else ["outside"]
    return str(gap.chance.choice(reasons[gap.chance.choice(kinds)]))
