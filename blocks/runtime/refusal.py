"""Tells a model's refusal from other prose. Pure.

A structured block asks for a JSON object. A model that declines writes prose instead, and people
should read that, not "the answer couldn’t be turned into a quiz".
"""

from __future__ import annotations

import re
import unicodedata

BRIEF_CHARACTERS = 500

_BEGINNING = 400
"""Characters in which a refusal must show itself."""

# What remains is matched in lower case, with straight apostrophes, without Arabic vowel signs.
_VOWEL_SIGNS = re.compile("[\u064b-\u0652\u0640]")
_APOSTROPHES = str.maketrans("‘’ʼ`´", "'" * 5)
_BEFORE = " \t\r\n\"'“”„«*_>"  # a quote or Markdown around the whole text
_SENTENCE = re.compile(r"[^.!?。！？؟।۔\n]+[.!?。！？؟।۔\n]*")
_QUESTION = re.compile(r"[?？؟]\W*$")  # "Was kann ich nicht mitnehmen?" declines nothing
_LIST_OR_CODE = re.compile(
    r"^\s*(?:[-*+•·]|\d{1,3}[.)、:]|\(?[a-d][.):]|#{1,6}|\|)\s|```|[{}\[\]<>]|\w['\"]\s*:",
    re.M | re.I,
)

# An idiom that only sounds like a refusal. It is removed first.
_HARMLESS = (
    r"\b(?:can't|cannot|can not|couldn't) (?:wait|help but|stress|emphasi[sz]e|overstate|"
    r"imagine|believe|resist|go wrong|thank|recommend|agree more|guarantee|promise|tell a lie)",
    r"\b(?:couldn't|could not) (?:find|think of|ask for|have \w+) (?:a )?(?:better|more)\b",
    r"\bsorry,? but (?:here|first|before|let me)",
    r"\bnicht (?:genug|oft genug|umhin|erwarten)",
    r"\bne peux pas (?:attendre|m'empêcher|assez)",
    r"\bno puedo (?:esperar|evitar|dejar de)",
    r"\bnão (?:posso|consigo) (?:esperar|evitar|deixar de)",
    r"\bnon posso (?:che|fare a meno|aspettare)",
    r"\bnie mogę się doczekać|\bik kan niet wachten|\b(?:jag|jeg) kan (?:inte vänta|ikke vente)",
    r"не могу (?:дождаться|не |удержаться)",
    r"لا (?:أستطيع|استطيع|يمكنني) (?:الانتظار|أن أنتظر)",
)

_CANNOT = r"(?:can't|can not|cannot|couldn't|could not|won't|will not|shouldn't)"
_DECLINE = (
    r"(?:unable to|not able to|not allowed to|not permitted to|not going to|not comfortable|"
    r"not in a position|not programmed to|not designed to)"
)
_REFUSING = (
    # English
    rf"(?<!['\"“«])\b(?:i|we) (?:(?:just|really|simply|also|unfortunately) )?{_CANNOT}\b",
    rf"(?<!['\"“«])\b(?:i|we)(?:'m|'re| am| are) (?:\w+ )?{_DECLINE}",
    r"\b(?:i|we) (?:must|have to|need to|will have to|respectfully) (?:\w+ )?(?:decline|refuse)\b",
    r"\bi (?:refuse|decline)\b|\bi'd rather not\b|\bi (?:do not|don't) feel comfortable\b",
    r"\bsorry,? but\b|\bsorry, no\b|\b(?:i'm afraid|sorry,) .{0,60}(?:n't|\bnot|\bno)\b",
    r"^\W*(?:unable to|cannot|can't)\b",
    r"\brequest (?:is |was |has been )?(?:denied|refused|blocked)\b",
    r"\b(?:as|i'm|i am) (?:just |only )?an? (?:ai|artificial|(?:large )?language model)\b.{0,80}"
    r"(?:n't|\bnot\b|\bunable|\bdecline)",
    r"\b(?:against|violates?) (?:my|our|the|openai's|usage|content) .{0,30}"
    r"(?:guideline|polic|principle|programming|terms)",
    r"\b(?:not|n't) (?:\w+ )?(?:something|a topic|a request) (?:that )?i(?:'m| can| am)\b",
    r"\bi (?:do not|don't) have the ability\b|\bi(?:'d| would) prefer not to\b",
    r"\bi(?:'m| am| will|'ll) (?:\w+ ){0,3}have to pass\b|\binappropriate for me\b",
    r"\brequest (?:can't|cannot|can not|could not) be\b",
    # German
    r"\btut mir (?:sehr )?leid, (?:aber|das|doch|ich)\b|\bich muss .{0,30}ablehnen\b",
    r"\b(?:kann|darf|werde|möchte) ich [^,]{0,50}\b(?:nicht|keine\w*)\b",
    r"\bich (?:kann|darf|werde|möchte) [^,]{0,50}\b(?:nicht|keine\w*)\b",
    r"\bich bin (?:leider )?nicht (?:in der lage|befugt)\b",
    r"\bals (?:eine? )?(?:ki|künstliche intelligenz|sprachmodell)\b.{0,60}(?:nicht|kein)",
    # French
    r"\bje ne (?:peux|puis|veux|pourrai) (?:malheureusement )?pas\b|\bje refuse\b",
    r"\bje ne suis pas (?:en mesure|capable|autorisée?|programmée?)\b",
    r"\bdésolée?,? (?:mais|je ne)\b|\bje regrette,? mais\b|\bil m'est impossible\b",
    r"\ben tant qu(?:'|e )(?:ia|intelligence artificielle|modèle|assistant).{0,60}\bpas\b",
    # Spanish
    r"\blo (?:siento|lamento)(?: mucho)?,? (?:pero|no)\b|\blamento (?:no|que no)\b",
    r"(?<!qué )\bno (?:puedo|podré|podemos|debo|me es posible|soy capaz|me está permitido)\b",
    # Portuguese
    r"\b(?:sinto muito|lamento|desculpe|desculpa|peço desculpas?),? (?:mas|não)\b",
    r"\bnão (?:posso|consigo|poderei|devo|me é possível|sou capaz|estou autorizad)",
    # Italian
    r"\bmi (?:dispiace|spiace),? (?:ma|non)\b|\bspiacente,? (?:ma|non)\b",
    r"\bnon (?:posso|potrò|sono in grado|mi è possibile|sono autorizzat)",
    # Dutch, Scandinavian
    r"\b(?:ik kan|kan ik) .{0,40}\b(?:niet|geen)\b|\bhet spijt me,? maar\b",
    r"\b(?:jag|jeg) (?:kan|får|må) (?:tyvärr |desværre |dessverre )?(?:inte|ikke)\b",
    r"\b(?:kan|får|må) (?:jag|jeg) (?:\w+ )?(?:inte|ikke)\b|\bbeklagar,? men\b",
    r"\b(?:beklager|tyvärr|ledsen),? (?:men|kan)\b",
    # Polish, Czech, Slovak, South Slavic, Romanian, Hungarian, Finnish, Turkish, Greek
    r"\b(?:przykro mi|przepraszam),? (?:ale|nie)\b|\bnie (?:mogę|jestem w stanie)\b",
    r"\b(?:omlouvám se|bohužel),? (?:ale|ne)\b|\b(?:nemohu|nemůžu)\b",
    r"\bprepáčte,? ale\b|\bnemôžem\b|\bžao mi je,? (?:ali|ne)\b|\bne mogu\b|\bžal mi je,? vendar\b",
    r"\bîmi pare rău,? (?:dar|nu)\b|\bnu pot\b",
    r"\bsajnálom,? de\b|\bnem (?:tudok|tudom|segíthetek)\b",
    r"\bvalitettavasti en\b|\ben (?:voi|pysty)\b|\büzgünüm\b.{0,60}m[ae]m\b|\byardımcı olam\w+",
    r"\bmaalesef\b.{0,60}(?:amıyor|emiyor|[ae]m[ae]m)",
    # Catalan, Lithuanian, Latvian, Estonian
    r"\bho sento,? (?:però|no)\b|\bno puc\b|\bnegaliu\b|\bnevaru\b|\bma ei (?:saa|või)\b",
    r"(?:λυπάμαι|συγγνώμη).{0,20}αλλά|δεν μπορώ",
    # Russian, Ukrainian, Bulgarian, Serbian
    r"\bне (?:могу|мога|смогу|буду|можу|зможу|в состоянии|имею права|имею возможности)\b",
    r"\b(?:извините|простите|сожалею|вибачте|перепрошую), (?:но|я не|але)\b",
    # Arabic, Persian, Urdu, Hebrew
    r"(?:عذرا|آسف|اسف|أعتذر|نأسف|للأسف).{0,60}(?:\bلا |\bلن |\bلكن|\bغير )",
    r"\bلا (?:أستطيع|استطيع|يمكنني|أقدر|يمكننا)\b|\bلن (?:أتمكن|أستطيع)\b|\bلست قادر",
    r"(?:متأسفم|متاسفم).{0,60}نمی|نمی.?توانم",
    r"(?:معذرت|معاف|افسوس).{0,60}نہیں|میں .{0,60}نہیں کر سکت",
    r"(?:מצטער|סליחה).{0,40}(?:אבל|לא)|(?:אני לא|איני) יכול",
    # Chinese, Japanese, Korean
    r"(?:抱歉|对不起|對不起|不好意思|遗憾|遺憾).{0,40}(?:不能|无法|無法|不便|不宜|不会|不會|不可以|拒绝|拒絕)",
    r"我(?:们|們)?(?:不能|无法|無法|不便|不可以|拒绝|拒絕|没有办法|沒有辦法)",
    r"作[为為]一?[个個]?(?:ai|人工智[能慧]|语言模型|語言模型).{0,60}(?:不|无法|無法)",
    r"(?:申し訳|申しわけ)(?:ありません|ございません|ない(?:です)?)が|(?:すみません|ごめんなさい)が",
    r"(?:でき|出来|お答えし|応じられ|お手伝いし)(?:ません|かねます)|いたしかねます|致しかねます",
    r"(?:ごめん|すみません|恐れ入り|残念).{0,60}(?:ません|ない)",
    r"수 (?:없습니다|없어요|없네요|없음)|(?:죄송|미안|유감).{0,60}(?:없|못|않|어렵)",
    # Hindi, Bengali, Tamil, Telugu, Vietnamese, Indonesian, Filipino, Swahili, Thai
    r"(?:क्षमा|माफ़|माफ|खेद).{0,60}नहीं|मैं .{0,60}नहीं (?:कर|दे) सकत",
    r"দুঃখিত.{0,80}(?:না|নেই)|மன்னிக்கவும்.{0,80}(?:முடியா|இயலா)|క్షమించండి.{0,80}(?:లేను|లేము)",
    r"\bpaumanhin.{0,40}hindi\b|\bhindi (?:ko|kita|ako) (?:ma|pwede|puwede)|\bsiwezi\b",
    r"\bxin lỗi.{0,40}không\b|\btôi không thể\b|\bmaaf.{0,40}tidak\b|\bsaya tidak (?:dapat|bisa)\b",
    r"(?:ขอโทษ|ขออภัย).{0,60}ไม่|ไม่สามารถ",
)
_HARMLESS_PHRASE = re.compile("|".join(_HARMLESS))
_REFUSAL = re.compile("|".join(f"(?:{phrase})" for phrase in _REFUSING))


def is_refusal(prose: str) -> bool:
    """Whether the text declines a request, in one of the languages that models are used in.

    The first sentence decides; the first three where the text holds no list and no code.
    """
    beginning = unicodedata.normalize("NFKC", prose.lstrip(_BEFORE)[:_BEGINNING]).lower()
    beginning = _VOWEL_SIGNS.sub("", beginning.translate(_APOSTROPHES))
    sentences = _SENTENCE.findall(_HARMLESS_PHRASE.sub(" ", beginning))
    decisive = sentences[: 1 if _LIST_OR_CODE.search(prose) else 3]
    return any(_REFUSAL.search(each) for each in decisive if not _QUESTION.search(each))


def is_brief(prose: str) -> bool:
    """Whether the text is a few sentences for people: no list, no code, no JSON in pieces."""
    text = prose.strip()
    return (
        0 < len(text) <= BRIEF_CHARACTERS
        and any(char.isalpha() for char in text)
        and not _LIST_OR_CODE.search(text)
    )
