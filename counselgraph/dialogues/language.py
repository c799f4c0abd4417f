"""Which language a text is in, as far as the rules need to know. A simple guess, and an honest one.

Chinese, Japanese and Persian are told by their script, Spanish by its small words; everything else in Latin letters
counts as English. A text mostly in a script that has no rules is of no known language, and screens say that they fail.
"""

from __future__ import annotations

import re

UNKNOWN = "und"
"""ISO 639-2 code of a language that is not known."""

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_ARABIC = re.compile(r"[\u0620-\u06d3\u06fa-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\uff21-\uff5a]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[a-z\u00e0-\u00ff]+")

_SHARE, _ENOUGH = 5, 8  # a fifth of the letters, or eight of them: English rules run beside those of every language
_SPANISH_MARK = re.compile(r"[\u00bf\u00a1\u00f1]")
_SPANISH = frozenset(
    _WORD.findall(
        """
        que de la el los las un una unos unas y o en con por para del al se lo le les mi mis tu tus su sus yo tú él ella
        nosotros ellos ellas es son soy eres está estoy estás están estaba era fue fui ser estar he ha han había hay muy
        más pero porque cuando como cómo donde dónde qué quién si sí ya también siempre nunca nada nadie todo todos toda
        todas algo mucho mucha poco bien mal hoy ayer mañana aquí ahora después antes sin sobre esto esta este eso esa
        ese quiero quiere quieres puedo puede tengo tiene tienes siento sentir vida vivir morir muerte matarme hacer
        hago hace creo sé solo sola tanto hasta desde entonces cada vez días
        """
    )
)
_ENGLISH = frozenset(
    _WORD.findall(
        """
        the of and to in is that it for on with as was are be this have from or by not but what all were when your can
        said there use an each which she do how their if will up other about out many then them these so some her would
        make him into time has look two more go see no way could my than been who its now did get i a you he we they me
        am just dont like want feel know think really because had don t s m where why does best
        """
    )
)


def language_of(text: str) -> str:
    """The language code of a text: "zh", "ja", "fa", "es", "en", or `UNKNOWN` for another script."""
    if text.isascii():
        return _by_words(text)
    han, kana, arabic = (len(script.findall(text)) for script in (_HAN, _KANA, _ARABIC))
    letters = len(_LETTER.findall(text))
    count, language = max((han + kana, "ja" if kana * _SHARE >= han + kana else "zh"), (arabic, "fa"))
    if count and (count * _SHARE >= letters or count >= _ENOUGH):
        return language
    latin = len(_LATIN.findall(text))
    return UNKNOWN if (letters - latin - han - kana - arabic) * 2 > letters else _by_words(text)


def _by_words(text: str) -> str:
    lowered = text.lower()
    words = set(_WORD.findall(lowered))
    spanish = len(words & _SPANISH) + len(set(_SPANISH_MARK.findall(lowered)))
    return "es" if spanish > len(words & _ENGLISH) else "en"
