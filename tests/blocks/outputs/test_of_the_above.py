from __future__ import annotations

import pytest

from blocks.outputs.of_the_above import is_of_the_above, names_others


@pytest.mark.parametrize(
    "text",
    [
        "Both A and B",
        "A and C",
        "A & B",
        "a is wrong, B or C",
        "Neither A nor B",
        "Only A",
        "B only",
        "Options A",
        "A et B",
        "A和B",
    ],
)
def test_an_option_may_name_others(text: str) -> None:
    assert names_others(text)
    assert not is_of_the_above(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "All of the above",
            "none of the above.",
            "None of these",
            "Both of the above",
            "All",
            "Neither",
        ),
        *("Alle genannten", "Keine der Antworten", "Toutes les réponses", "Aucune de ces réponses"),
        *("Todas las anteriores", "Nenhuma das anteriores", "Nessuna delle precedenti"),
        *(
            "Ничего из перечисленного",
            "以上都是",
            "以上皆非",
            "上記のすべて",
            "위의 모두",
            "كل ما سبق",
            "उपरोक्त सभी",
        ),
        *("All are correct", "Alles davon", "Tout ce qui précède", "Todo lo anterior"),
        *("Todas son correctas", "Alle bovenstaande", "Alla ovanstående", "Wszystkie powyższe"),
        *("Yukarıdakilerin hepsi", "Hiçbiri", "Tất cả các đáp án trên", "Semua benar"),
        *("Усе перелічене", "Все варианты верны", "Όλα τα παραπάνω", "Všechny výše uvedené"),
        *(
            "全部正确",
            "都不对",
            "いずれでもない",
            "위 모두",
            "해당 없음",
            "همه موارد",
            "כל התשובות נכונות",
        ),
        *("इनमें से कोई नहीं", "ถูกทุกข้อ", "উপরের সবগুলো"),
    ],
)
def test_an_option_may_be_about_the_ones_above(text: str) -> None:
    assert is_of_the_above(text)


@pytest.mark.parametrize(
    "text",
    [
        "All the planets",
        "Vitamin C",
        "The sky above",
        "A cat and a dog",
        "Both hands",
        "None of it",
        *("Hepatitis B and C", "Vitamin C and D", "Type A and B blood", "Plan A or B"),
        *("All four", "Alles Gute", "Todos los animales", "Все животные", "所有动物", "كل الطيور"),
        *("Semua hewan", "Hepsiburada", "Both sides", "Above sea level"),
    ],
)
def test_other_options_are_about_themselves(text: str) -> None:
    assert not names_others(text)
    assert not is_of_the_above(text)
