"""The closed lists: approaches, the techniques of each, and the phases of a session."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from counselgraph.errors import ConfigError


class ApproachName(StrEnum):
    """The therapies a course can follow; each is a protocol file of that name."""

    CBT = "cbt"
    MOTIVATIONAL_INTERVIEWING = "motivational_interviewing"
    PERSON_CENTRED = "person_centred"
    SOLUTION_FOCUSED = "solution_focused"
    ACCEPTANCE_AND_COMMITMENT = "acceptance_and_commitment"


class Technique(StrEnum):
    """The fourteen CBT techniques: the twelve of Cactus and two more of its gold labels."""

    EFFICIENCY_EVALUATION = "efficiency_evaluation"
    PIE_CHART = "pie_chart"
    ALTERNATIVE_PERSPECTIVE = "alternative_perspective"
    DECATASTROPHIZING = "decatastrophizing"
    PROS_AND_CONS = "pros_and_cons"
    EVIDENCE_BASED_QUESTIONING = "evidence_based_questioning"
    REALITY_TESTING = "reality_testing"
    CONTINUUM = "continuum"
    CHANGING_RULES_TO_WISHES = "changing_rules_to_wishes"
    BEHAVIOR_EXPERIMENT = "behavior_experiment"
    PROBLEM_SOLVING = "problem_solving"
    SYSTEMATIC_EXPOSURE = "systematic_exposure"
    ROLE_PLAYING = "role_playing"
    ASSERTIVENESS = "assertiveness"


class MotivationalTechnique(StrEnum):
    """What a counselor does in motivational interviewing."""

    EVOKING_CHANGE_TALK = "evoking_change_talk"
    IMPORTANCE_RULER = "importance_ruler"
    CONFIDENCE_RULER = "confidence_ruler"
    DECISIONAL_BALANCE = "decisional_balance"
    VALUES_DISCREPANCY = "values_discrepancy"
    LOOKING_BACK_AND_AHEAD = "looking_back_and_ahead"
    ELICIT_PROVIDE_ELICIT = "elicit_provide_elicit"
    SOFTENING_SUSTAIN_TALK = "softening_sustain_talk"
    CHANGE_PLANNING = "change_planning"


class PersonCentredTechnique(StrEnum):
    """Ways of being with a client in person-centred therapy, as far as they can be planned."""

    EMPATHIC_FOLLOWING = "empathic_following"
    DEEPENING_FEELING = "deepening_feeling"
    FELT_SENSE = "felt_sense"
    CONDITIONS_OF_WORTH = "conditions_of_worth"
    TRUSTING_OWN_COMPASS = "trusting_own_compass"
    IMMEDIACY = "immediacy"


class SolutionFocusedTechnique(StrEnum):
    """The questions of solution-focused brief therapy."""

    MIRACLE_QUESTION = "miracle_question"
    EXCEPTION_FINDING = "exception_finding"
    SCALING = "scaling"
    COPING_QUESTIONS = "coping_questions"
    RELATIONSHIP_QUESTIONS = "relationship_questions"
    RESOURCE_FINDING = "resource_finding"


class AcceptanceTechnique(StrEnum):
    """The processes of acceptance and commitment therapy, each with one way to work it."""

    WORKABILITY = "workability"
    COGNITIVE_DEFUSION = "cognitive_defusion"
    WILLINGNESS = "willingness"
    PRESENT_MOMENT = "present_moment"
    OBSERVING_SELF = "observing_self"
    VALUES_CLARIFICATION = "values_clarification"
    COMMITTED_ACTION = "committed_action"


AnyTechnique: TypeAlias = (
    Technique | MotivationalTechnique | PersonCentredTechnique | SolutionFocusedTechnique | AcceptanceTechnique
)
"""A technique of any approach; no two approaches share a name."""

TECHNIQUES: Mapping[ApproachName, type[AnyTechnique]] = MappingProxyType(
    {
        ApproachName.CBT: Technique,
        ApproachName.MOTIVATIONAL_INTERVIEWING: MotivationalTechnique,
        ApproachName.PERSON_CENTRED: PersonCentredTechnique,
        ApproachName.SOLUTION_FOCUSED: SolutionFocusedTechnique,
        ApproachName.ACCEPTANCE_AND_COMMITMENT: AcceptanceTechnique,
    }
)
"""The closed list of each approach."""

_APPROACH_OF = {listed: approach for approach, listed in TECHNIQUES.items()}
_BY_NAME: dict[str, AnyTechnique] = {str(way): way for listed in TECHNIQUES.values() for way in listed}


def technique_named(name: str) -> AnyTechnique:
    """The technique of that name, whatever its approach.

    Raises:
        ConfigError: No approach has one of that name.
    """
    if name not in _BY_NAME:
        raise ConfigError(f"No approach has a technique named {name!r}.")
    return _BY_NAME[name]


def approach_of(technique: AnyTechnique) -> ApproachName:
    """The approach a technique belongs to."""
    return _APPROACH_OF[type(technique)]


class Phase(StrEnum):
    """Where the session stands."""

    AGENDA = "agenda"
    EXPLORATION = "exploration"
    INTERVENTION = "intervention"
    CLOSING = "closing"
