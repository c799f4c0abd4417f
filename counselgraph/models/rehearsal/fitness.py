"""Which approaches suit a client, by the signs that its own words show."""

from __future__ import annotations

from counselgraph.models.rehearsal.client.ratings import own_random
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.protocols.approach import heard_signs
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName

_LEANS = {
    Attitude.POSITIVE: {ApproachName.CBT: 1.0, ApproachName.SOLUTION_FOCUSED: 0.5},
    Attitude.NEUTRAL: {ApproachName.CBT: 0.5, ApproachName.ACCEPTANCE_AND_COMMITMENT: 0.5},
    Attitude.NEGATIVE: {ApproachName.MOTIVATIONAL_INTERVIEWING: 1.0, ApproachName.PERSON_CENTRED: 1.0},
}
"""What a way of meeting counseling speaks for, in signs."""
_SUITED = 2
"""How many approaches suit anybody."""


def suits(persona: Persona) -> tuple[ApproachName, ...]:
    """The two approaches that suit this client best, the best first; the same every time."""
    chance, told = own_random(persona, "suits"), _sentences(persona)
    lean = _LEANS[persona.attitude]

    def speaks_for(name: ApproachName) -> float:
        signs = heard_signs(load_protocol(name).approach.fits, told)
        return sum(min(sign.times, 2) for sign in signs) / 2 + lean.get(name, 0) + chance.random() * 0.4

    return tuple(sorted(ApproachName, key=speaks_for, reverse=True)[:_SUITED])


def _sentences(persona: Persona) -> tuple[str, ...]:
    problem, mind = persona.presenting_problem, persona.conceptualization
    return (
        *(text for text in problem.model_dump().values() if text),
        persona.reason_for_counseling,
        *mind.situations,
        *mind.automatic_thoughts,
        *mind.behaviours,
        *mind.core_beliefs,
        *persona.goals,
    )
