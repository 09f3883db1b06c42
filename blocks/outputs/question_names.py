"""The names under which models write the members of a question, folded as in `known_names.py`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from blocks.outputs.known_names import folded


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(folded, names))


def _words(text: str) -> frozenset[str]:
    return _folded(text.split())


OWN_NAMES = _words(
    "question questiontext questiontitle questionstem q stem problem"
    " frage fragetext pregunta domanda pergunta вопрос питання pytanie vraag soru 問題 问题"
    " 題目 题目 質問 設問 질문 문제 السؤال سؤال प्रश्न คำถาม"
)
"""Names that only a question has."""

QUESTION_NAMES = OWN_NAMES | _words("text prompt query statement")

LAST_QUESTION_NAMES = _words("title content body description name")
"""Names of the question's text if nothing else is."""

OPTIONS_NAMES = _words(
    "options option choices choice answers alternatives possibleanswers answeroptions answerchoices"
    " optionslist optionlist mcqoptions variants opts selections items responses possibleresponses"
    " optionen antworten antwortmöglichkeiten opciones respuestas alternativas opções respostas"
    " réponses propositions choix opzioni risposte варианты вариантыответов ответы варіанти"
    " opties antwoorden odpowiedzi seçenekler şıklar 选项 選項 選択肢 보기 선택지 الخيارات خيارات"
    " الاختيارات विकल्प ตัวเลือก"
)

_RIGHT_WORDS = ("answer", "ans", "option", "choice", "response", "solution", "")
_ENDINGS = (
    *("", "s", "text", "value", "content", "string", "label", "key", "letter", "id", "index"),
    *("idx", "indices", "number", "num", "no", "position"),
)
RIGHT_NAMES = (
    _folded(
        begin + word + end
        for begin, word, end in product(("correct", "right"), _RIGHT_WORDS, _ENDINGS)
    )
    | _folded(
        word + end for word, end in product(("answer", "ans", "solution"), _ENDINGS) if end != "s"
    )
    | _words(
        "indexofcorrect indexofcorrectanswer indexofcorrectoption thecorrectanswer trueanswer truth"
        " antwort richtigeantwort richtig lösung respuesta respuestacorrecta correcta réponse"
        " bonneréponse réponsecorrecte resposta respostacorreta correta risposta rispostacorretta"
        " corretta ответ правильныйответ верныйответ відповідь правильнавідповідь antwoord"
        " juisteantwoord poprawnaodpowiedź odpowiedź doğrucevap cevap 答案 正确答案 正確答案 正解"
        " 答え 정답 답 الإجابة الاجابة الإجابةالصحيحة الجواب सही_उत्तर उत्तर คำตอบ คำตอบที่ถูกต้อง"
    )
)

WRONG_NAMES = _folded(
    begin + word + end
    for begin, word, end in product(
        ("wrong", "incorrect", "false"), ("answer", "option", "choice", ""), ("", "s")
    )
) | _words("distractors distractor others")

EXPLANATION_NAMES = _words(
    "explanation explain rationale reason reasoning why because feedback justification details"
    " comment explanationtext answerexplanation note erklärung begründung explicación justificación"
    " explication explicação spiegazione объяснение пояснение пояснення uitleg wyjaśnienie açıklama"
    " 解释 解析 解說 説明 解説 설명 해설 شرح الشرح التفسير تفسير व्याख्या คำอธิบาย"
)

TEXT_NAMES = _words(
    "text option optiontext answer answertext content value choice choicetext title name"
    " description body"
)
"""Names of an option's text."""

LABEL_NAMES = _words("label id letter key index number")
FLAG_NAMES = _folded(
    begin + word
    for begin, word in product(("is", ""), ("correct", "right", "true", "answer", "valid"))
    if begin or word in ("correct", "right")
) | _words("correctanswer score")
"""Names of an option's member that tells whether it is right."""
