"""Knows the options that are about the other ones: "all of the above", "both A and B"."""

from __future__ import annotations

import re

_LETTER = r"(?<![A-Za-z])[A-H](?![A-Za-z])"
_AND = r"(?:[,/&]|\b(?:and|or|nor|und|oder|et|ou|y|o|e|en|of|i|lub|ve|и|или|та|і)\b|和|と|و)"
_NAMING = re.compile(
    rf"^\W*(?:(?i:both|either|neither|options?|answers?|only|sowohl|beide|tanto|les deux)\W+)*"
    rf"\(?{_LETTER}\)?\s*{_AND}\s*\(?{_LETTER}"
    rf"|\b(?:is|are)\s+\w+,\s*{_LETTER}\s+or\s+{_LETTER}"
    rf"|\b(?i:both|either|neither)\s+\(?{_LETTER}\)?\s*{_AND}\s*\(?{_LETTER}"
    rf"|\b(?i:only|nur|seulement|solo)\s+{_LETTER}\W*$|^\W*{_LETTER}\s+(?i:only|alone)\b"
    r"|\b(?i:options?|answers?|choices?)\s+[A-H1-4]\b"
)
_OF_THE_ABOVE = re.compile(
    "|".join(
        [
            r"\b(?:all|none|any|both|some|neither|each)\s+(?:of\s+)?(?:the|these|those)?\s*"
            r"(?:above|options|answers|choices|others|preceding)\b",
            r"\b(?:all|none|both|neither)\s+of\s+(?:these|them|those)\b",
            r"^\W*(?:all|none|both|neither|all three)\W*$",
            r"^\W*(?:all|both|none|neither)\s+(?:are|is)\s+(?:correct|right|true|wrong|false)\W*$",
            # German, Dutch, Scandinavian
            r"\b(?:alle|keine|beide|nichts|alles|geen|alla|inget|inga|ingen|ingenting)[rs]?\s+"
            r"(?:der\s+|die\s+|de\s+|av\s+|af\s+|van\s+)*(?:de\s+)?(?:oben\s+)?"
            r"(?:genannten|antworten|optionen|davon|bovenstaande|antwoorden|ovanstående"
            r"|ovenstående|ovennevnte|nævnte|nevnte)",
            # French, Spanish, Portuguese, Italian, Romanian
            r"\b(?:toutes|aucune?)\s+(?:de\s+)?(?:[lcd]es)\s+(?:réponses|propositions|options|choix)",
            r"\btout ce qui précède|\btodo lo anterior|\btudo o que foi",
            r"\b(?:todas|ninguna|nenhuma|todos|ninguno|nenhum)\s+(?:de\s+)?(?:las|los|as|das|os|dos)"
            r"\s+(?:anteriores|opciones|alternativas|respuestas|opções|respostas|acima)",
            r"^\W*(?:todas|ninguna|nenhuma)\s+(?:son|es|são|é|está|están|estão)\s",
            r"\b(?:tutte|nessuna)\s+(?:le|delle)\s+(?:precedenti|risposte|opzioni)",
            r"\b(?:toate|niciun[ae]?)\s+(?:cele|dintre)\s",
            # Slavic, Greek, Hungarian, Finnish, Turkish
            r"(?:вс[её]|ничего|ни один|нічого|усе|всі|жод)\S*\s.*(?:перечисленн|перелічен)",
            r"^\W*(?:все|ни один|всі|жоден)\s.*(?:вариант|ответ|варіант|відповід)",
            r"\bwszystkie\s.*(?:powyższe|odpowiedzi)|\bżadn\S+\s.*(?:powyższ|odpowiedzi)",
            r"\b(?:všechny|žádná|všetky)\s.*(?:uvedené|uvedených|odpovědi)",
            r"(?:όλα|κανένα|όλες|καμία)\s.*(?:παραπάνω|απαντήσεις)",
            r"\bfentiek\b|\bkaikki\s.*mainitut|\bei mikään\s.*(?:mainituista|edellä)",
            r"\byukarıdaki\S*\s.*(?:hepsi|hiçbiri|tümü)|^\W*(?:hepsi|hiçbiri)\W*$",
            # Vietnamese, Indonesian
            r"^\W*(?:tất cả|không có)\s.*(?:đáp án|đều đúng|ở trên)",
            r"^\W*(?:semua|tidak ada)\s.*(?:benar|di atas|jawaban|salah)",
            # Chinese, Japanese, Korean
            r"上述|以上(?:都|皆|全|均|所有|选项|選項)|上記|^\W*(?:全部|都|全)(?:都|不)?(?:正确|正確|对|對|是)",
            r"^\W*(?:すべて正しい|いずれでもない|どれでもない|該当なし|どれも)",
            r"위의?\s*(?:모두|어느)|모두\s*(?:맞|정답|해당|옳)|^\W*해당\s*없음",
            # Arabic, Persian, Urdu, Hebrew
            r"(?:كل|جميع|لا شيء م)\S*\s*(?:ما|مما)\s+(?:سبق|ذكر)",
            r"(?:كل|جميع)\s+(?:الإجابات|الخيارات)",
            r"همه\s+موارد|هیچ\s?\u200c?کدام|مذکورہ بالا",
            r"הכל נכון|(?:כל|אף אחת מ)\s?(?:ה)?(?:תשובות|אמור|נ)",
            # Hindi, Bengali, Thai
            r"उपरोक्त|उपर्युक्त|इनमें से|^\W*ये सभी|উপরের|ทุกข้อ|ข้อใด(?:ก็)?ถูก|ไม่มีข้อ",
        ]
    ),
    re.IGNORECASE,
)


def names_others(text: str) -> bool:
    """Whether an option names others by their letters: "both A and B"."""
    return _NAMING.search(text) is not None


def is_of_the_above(text: str) -> bool:
    """Whether an option is about the ones before it: "all of the above"."""
    return _OF_THE_ABOVE.search(text) is not None
