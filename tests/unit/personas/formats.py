"""Made-up records of every outside format, written for the tests."""

from __future__ import annotations

from typing import Any

PSI = {
    "name": "Nell",
    "id": "9-1",
    "type": ["plain", "upset"],
    "history": "Nell grew up by the sea.",
    "helpless_belief": ["I am slow."],
    "unlovable_belief": [],
    "worthless_belief": [],
    "intermediate_belief": "If I hurry, I spoil it.",
    "coping_strategies": "Nell avoids deadlines.",
    "situation": "Looking at the calendar.",
    "auto_thought": "I'll never be done.",
    "emotion": ["tense"],
    "behavior": "Closes the calendar.",
}
MI = {
    "idx": 7,
    "topic": "drinking less coffee",
    "initial_stage": "Contemplation",
    "suggestibilities": [2, 4, 3],
    "Personas": ["You drink nine cups a day.", "Your sister worries about you."],
    "Acceptable Plans": ["You will try one cup less."],
    "Beliefs": ["You believe coffee keeps you sharp."],
    "quality": "high",
    "Motivation": ["Sleep", "Health", "You want to sleep again because you are tired of lying awake."],
    "Behavior": "drinking coffee",
}
ANNA = {
    "profile": {
        "drisk": 1,
        "srisk": 0,
        "age": "51",
        "gender": "Male",
        "marital_status": "Widowed",
        "occupation": "Baker",
    },
    "situation": "You have closed the bakery and you miss your customers.",
    "statement": ["Good morning."],
    "style": ["Dry", "Slow to warm"],
    "complaint_chain": [
        {"stage": 2, "content": "I wonder who I am without the shop."},
        {"stage": 1, "content": "I get up at three and there is no dough."},
    ],
    "status": "He sleeps a little longer than in spring.",
    "report": {"case_title": "A title by the counselor"},
    "previous_conversations": [
        {"role": "Client", "content": "Good morning."},
        {"role": "Therapist", "content": "Good morning, what brings you?"},
    ],
}
CASE = {
    "id": "case-1",
    "conversation": [{"role": "Seeker", "content": "I can't rest."}, {"role": "Counselor", "content": "Since when?"}],
    "report": {"title": "Written by the counselor"},
    "portrait": {
        "age": "33",
        "gender": "female",
        "marital_status": "married",
        "occupation": "nurse",
        "symptoms": "restless",
    },
}
EEYORE = {
    "conversation": [{"role": "user", "content": "A line of the dialogue behind it."}],
    "source": "made-up",
    "id_source": "1",
    "profile": {
        "name": "Cannot be identified",
        "gender": "Female",
        "age": "25~44",
        "marital status": "Single",
        "occupation": "Gardener",
        "situation of the client": "The client is feeling tired of her work.",
        "resistance toward the support": "High",
        "symptom severity": {"poor sleep": "2-Mild"},
        "cognition distortion exhibition": {"guessing": "Exhibited"},
        "depression severity": "Mild, by a reader.",
        "suicidal ideation severity": "No suicidal ideation",
        "homicidal ideation severity": "No homicidal ideation",
        "counseling history": "N/A",
    },
    "cognitive profile": {
        "life_history": "She planted her first tree at six.",
        "core_beliefs": "Helpless belief",
        "core_belief_description": "I am no use.",
        "intermediate_beliefs": "If I rest, I am lazy.",
        "intermediate_beliefs_during_depression": "If I stop, it all falls apart.",
        "coping_strategies": "Works on.",
        "cognitive_models": [
            {"situation": "Rain.", "automatic_thoughts": "All for nothing.", "emotion": "sad", "behavior": "Goes in."}
        ],
    },
}
SIM = {
    "persona": {"age": 29, "gender": "male", "ethnicity": "Welsh", "occupation": "printer", "mbti": "ISFP"},
    "cognitive_model": {"patient_control": 2, "patient_reward": 9},
    "between_session_event": "On Friday the patient played cards again. He lost his wages and told nobody.",
}
DOH = {"description": "Ivo is a male patient who grew up with his aunt. He is currently dealing with a house move."}
DEP = {
    "name": "Ruth",
    "age": 40,
    "gender": "Female",
    "bdi_score": 21,
    "depression_level": "Moderate",
    "key_negative_symptoms": [{"name": "Fatigue", "description": "I drag myself about.", "severity": 2}],
    "life_history": ["Ruth keeps bees."],
    "social_context": ["She sees her choir on Mondays."],
    "past_interactions": ["Ruth once wrote about it online."],
    "linguistic_patterns": ["Short sentences."],
    "emotional_tone": ["Flat."],
    "typical_topics": ["Her bees."],
    "behavioral_constraints": ["Never complains."],
    "response_goals": ["Wants to be left in peace."],
    "social_media_activity": ["A picture of a hive."],
    "current_context_of_interaction": ["Writing to an old friend."],
}
ACT = {
    "profile": {
        "demographics": {
            "name": "Ola Berg",
            "gender": "female",
            "age_group": "Adult",
            "occupation": "pilot",
            "marital_status": "single",
            "cultural_background": "Norwegian",
        },
        "problem_formulation": {
            "presenting_problem": {"situation": "Referred after a bad landing.", "impact": ["Flies less."]},
            "precipitating_factors": ["A storm in May."],
            "predisposing_factors": {"psychological": ["Lost a friend in a crash."], "social": ["A family of pilots."]},
            "perpetuating_factors": {"internal": ["Goes over it at night."], "external": ["A strict airline."]},
            "protective_factors": {"internal": ["Stubborn."], "external": ["A patient sister."]},
        },
        "psychological_formulation": {
            "intermediate_beliefs": ["One slip and I am out."],
            "automatic_thoughts": ["I'll miss something.", "They all saw it."],
            "triggers": ["Crosswind."],
            "coping_patterns": ["Reads the manual twice."],
            "emotional_range": "Fear is near, grief is far.",
            "interpersonal_patterns": [
                {
                    "domain": "the captain",
                    "wish": "Trust.",
                    "response_of_other": "Doubt.",
                    "response_of_self": "Silence.",
                }
            ],
        },
    },
    "memory": {
        "items": [
            {
                "field_path": "problem_formulation.predisposing_factors.psychological.0",
                "content": "Lost a friend in a crash.",
                "disclosure_level": 4.0,
                "activation_tags": ["the crash", "her friend"],
                "generates_discomfort": True,
            },
            {
                "field_path": "psychological_formulation.triggers.0",
                "content": "Crosswind.",
                "disclosure_level": 2.5,
                "activation_tags": ["weather"],
                "generates_discomfort": False,
            },
        ]
    },
    "seed": {"core_belief_theme": "I am helpless"},
    "situation": "Grounded for two weeks.",
    "disease_key": "a_label",
}
CAST = {
    "basic_profile": {
        "name": "Not Specified",
        "gender": "Male",
        "age": -1,
        "age_explain": "unclear",
        "occupation": "Tailor",
        "topic": "arguments at work",
        "situation": "The client argues with everybody.",
        "emotion": "The client feels cornered.",
        "reasons": "The client wants fewer arguments.",
        "problem": "arguing",
        "emotion_trigger": "No emotional trigger",
        "feeling_expression": "Low - hardly any.",
        "emotional_fluctuation": "Low - steady.",
        "resistance": "High - the client doubts all of it.",
    },
    "big_five": {"Openness": {"score_percent": 20, "explanation": "Prefers what is known."}},
    "symptoms": {"SOME-9": {"1": {"identified": True, "explanation": "A rating by a reader."}}},
}
CARS = {
    "name": "Uma",
    "persona": {
        "name": "Uma",
        "age": "38",
        "gender": "Female",
        "occupation": "Cook",
        "family_background": "Uma has four brothers.",
        "interpersonal_relationships": "She meets nobody.",
        "physical_condition": "Healthy.",
        "lifestyle": "Works nights.",
        "chief_complaint": "Uma struggles with praise.",
    },
    "background": "A long text about her.",
    "main_ccd": {
        "name": "Uma",
        "relevant_history": "Nobody praised her.",
        "core_beliefs": ["I am ordinary."],
        "intermediate_beliefs": ["Praise is a trap."],
        "coping_strategies": ["Changes the topic."],
    },
    "session_ccd": {
        "theme": "praise",
        "structured_cbt_strategy": "",
        "automatic_thought": {
            "situation": "A guest says thank you.",
            "cognition": "He pities me.",
            "reaction": "Shame.",
        },
        "intermediate_belief": {
            "attitude": "Thanks are lies.",
            "rule": "Never smile back.",
            "assumption": "They want something.",
        },
        "resistance_triggers": ["Being praised by the counselor."],
    },
    "preferences": {"positive": ["Dry humour."], "negative": ["Compliments."]},
    "client_characteristics": {
        "possible_responses_under_different_emotions": ["When ashamed, she looks at the clock."],
        "other_client_characteristics": ["Counts everything."],
    },
}
PSYCHE = {
    "MFC-Profile": {
        "Identifying data": {"Age": "44", "Sex": "Male", "Marital status": "Married", "Occupation": "Postman"},
        "Chief complaint": "I can't leave the depot.",
        "Present illness": {"Symptom": {"Name": "dread", "Triggering factor": "the new route"}},
        "Past psychiatric history": {"Presence": "No", "Description": None},
        "Past medical history": {"Presence": "Yes", "History": "Asthma"},
        "Current medication": {"Medication name": "an inhaler"},
        "Family history": {"Diagnosis": "An uncle was ill."},
        "Developmental/social history": {"School history": "Liked maps."},
        "Impulsivity": {"Suicidal ideation": "Low", "Homicide risk": "Low"},
    },
    "MFC-History": "I have walked the same streets for years. Now they look foreign.",
    "MFC-Behavior": {"Tone of voice": "Quiet"},
}
VOYAGER = {
    "source": "made-up-1",
    "name": "Gil",
    "internal_cognitive_diagram": {
        "relevant_history": "A strict school.",
        "core_beliefs": ["I am lazy."],
        "intermediate_beliefs": ["Rest has to be earned."],
        "coping_strategies": "Works late.",
    },
    "external_experiences": [
        {
            "situation": "Sunday.",
            "reaction": "Automatic thoughts: I waste time. Emotions: guilt. Behavior: Opens the laptop.",
        },
        {"situation": "Monday.", "reaction": "He shrugs."},
    ],
}
WARD = {
    "id": 3,
    "type": 1,
    "type-text": "Demanding",
    "name": "Bo Lund",
    "situation": "Rings the bell all night.",
    "Chief complaint": "I need you to look at this drip!",
    "gender": "Male",
    "age": 70,
    "religion": "none",
    "height": "180cm",
    "weight": "80kg",
    "Main symptom": "pain",
    "History of present illness": "Fell on ice.",
    "social history": "Retired, two dogs",
    "past medical history": "Gout",
    "past surgical history & date": "A hip (2019)",
    "family medical history": "Father - gout",
    "allergies": "Nuts",
    "immunization": "Tetanus",
    "medication": "Something for gout",
    "primary diagnosis": "A broken wrist",
    "communication_summary": "Talks over people.",
    "first_statement": "There you are at last!",
}
ZERO = {
    "metadata": {"disease_name": "A Label", "case_id": "x_0"},
    "sampled_attributes": {"disease_name": "A Label"},
    "patient_profile": {
        "name": "Ann Orr",
        "age": 61,
        "biological_sex": "Female",
        "ethnicity": "Scottish",
        "education_level": "School",
        "occupation_type": "Farmer",
        "communication_style": "Plain",
        "smoking": "never",
        "lifestyle_summary": "Ann walks a lot.",
        "past_medical_history": "None of note worth telling.",
        "family_history": "Long-lived people.",
        "medication_history": "Drops.",
        "medicine_preference": "Herbal",
    },
    "symptom_trajectory": {
        "current_severity": "mild",
        "chief_complaint": "I wake at four.",
        "onset": "After the harvest.",
        "duration": "Three months.",
        "progression": "Slowly worse.",
        "selected_symptoms": [{"name": "waking early", "severity": "mild", "impact": "Tired by noon."}],
        "associated_symptoms": ["yawning"],
        "negative_symptoms": ["no pain"],
        "triggers": ["full moon"],
        "relieving_factors": ["a walk"],
        "functional_impact": "Slower in the fields.",
        "risk_features": ["nothing to report"],
    },
    "examination_results": {"clinical_summary": "Written by the doctor."},
}
EVAL = {
    "theoretical": "cbt",
    "client_id": 4,
    "client_info": {
        "static_traits": {
            "age": "27周岁",
            "name": "小溪",
            "gender": "女",
            "occupation": "教师",
            "family_status": "家在北方。",
        },
        "main_problem": "最近总是睡不好\uff0c上课没有精神。",
        "topic": "睡眠",
        "core_beliefs": ["我不够好"],
        "growth_experiences": ["小时候常常搬家。"],
        "special_situations": [{"event": "公开课", "automatic_thoughts": "我会讲错", "cognitive_pattern": "放大"}],
        "core_demands": "想重新睡个好觉。",
    },
    "global_plan": [{"stage_number": 1}],
    "sessions": [{"session_number": 1, "session_dialogue": [{"role": "Client", "text": "老师好。"}]}],
}
SAPS = {"patient_info": "A 50-year-old man presents with a cough. Which test should be ordered?"}
BOT = "我最近总是很紧张\uff0c一上班就心慌。去年换了工作以后就开始了。我试过跑步\uff0c没有什么用。"

RECORDS: dict[str, Any] = {
    "adaptive-vp": WARD,
    "anna-agent": ANNA,
    "anna-agent-case": CASE,
    "cars": CARS,
    "client-cast": CAST,
    "consistent-mi": MI,
    "eeyore": EEYORE,
    "mind-voyager": VOYAGER,
    "patient-act": ACT,
    "patient-psi": PSI,
    "patient-zero": ZERO,
    "psych-eval": EVAL,
    "psyche": PSYCHE,
    "roleplay-doh": DOH,
    "saps": SAPS,
    "sim-patient": SIM,
    "sim-psybot": BOT,
    "talk-dep": DEP,
}
"""One made-up record of each format."""
