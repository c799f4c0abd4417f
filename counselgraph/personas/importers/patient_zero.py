"""PatientZero: a sampled patient with the course of an illness and what an examination found."""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person

_WHO = "patient_profile."
_ILL = "symptom_trajectory."
_HABITS = ("smoking", "alcohol", "dietary_pattern", "activity_level", "lifestyle_summary")
_PLACE = ("geography", "specific_region_constraints", "income_tier", "physiological_status", "age_strata")
_HEALTH = ("medication_history", "allergy_history", "vaccination_history")


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    words = {
        "gender": "biological_sex",
        "occupation": "occupation_type",
        "education": "education_level",
        "culture": "ethnicity",
    }
    take_person(draft, _WHO, **words)
    say = partial(from_third_person, name=draft.peek(f"{_WHO}name"), gender=draft.peek(f"{_WHO}biological_sex"))
    draft.take("presenting_problem.statement", f"{_ILL}chief_complaint")
    draft.take("presenting_problem.onset", f"{_ILL}onset")
    draft.take("presenting_problem.course", f"{_ILL}duration", f"{_ILL}progression")
    draft.take("presenting_problem.triggers", f"{_ILL}triggers")
    draft.take("presenting_problem.coping", f"{_ILL}relieving_factors")
    draft.take("functioning.daily_life", f"{_ILL}functional_impact", say=say)
    draft.take("history.medical", f"{_WHO}past_medical_history", say=say)
    draft.take("style.register", f"{_WHO}communication_style")
    for symptom in draft.each(f"{_ILL}selected_symptoms"):
        draft.keep("What you notice", symptom)
    draft.keep("What goes with it", f"{_ILL}associated_symptoms")
    draft.keep("What you do not have", f"{_ILL}negative_symptoms")
    draft.keep("How strong it is", f"{_ILL}current_severity")
    draft.keep("In the family", f"{_WHO}family_history")
    draft.keep("Health", *(f"{_WHO}{key}" for key in _HEALTH))
    draft.keep("How you live", *(f"{_WHO}{key}" for key in (*_HABITS, *_PLACE)))
    draft.keep("Kind of medicine you trust", f"{_WHO}medicine_preference")


FORMAT = RecordFormat(
    NAME="patient-zero",
    fill=fill,
    keys=("symptom_trajectory", "patient_profile"),
    needs=(f"{_ILL}chief_complaint",),
    notes=("Medical patients; diagnosis, examination and risk rating are a clinician's and stay in the source.",),
)
