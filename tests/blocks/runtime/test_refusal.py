"""A model's refusal, told from other prose."""

from __future__ import annotations

import pytest

from blocks.runtime.refusal import BRIEF_CHARACTERS, is_brief, is_refusal

REFUSALS = [
    "I can't help with that.",
    "I can’t help with that request.",
    "I cannot create a quiz on this topic.",
    "I'm sorry, but I can't assist with that.",
    "I'm sorry, but that goes against my guidelines.",
    "I’m really sorry, but I’m not able to provide this.",
    "Sorry, I can't do that.",
    "Sorry, but no.",
    '"I can\'t help with that."',
    "> Unable to comply with this request.",
    "Request denied.",
    "I'm an AI assistant and can't take part in this.",
    "I'm afraid that's not possible.",
    "**I won't write this.** It could hurt somebody.",
    "I apologize, but I am unable to fulfil this request.",
    "Unfortunately, I cannot answer questions about this person.",
    "I understand that you are curious. However, I must decline.",
    "Hello! Thank you for your question. I can't help with that.",
    "As an AI language model, I don't have opinions on this.",
    "As an AI, I'm not able to help with weapons.",
    "This request violates our usage policies.",
    "That's not something I can help with.",
    "I don't feel comfortable writing about this.",
    "I can't help with that. Here are some other topics:\n- Trains\n- Birds",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Tut mir leid, das geht nicht.",
    "Dazu kann ich leider keine Fragen erstellen.",
    "Ich kann Ihnen dabei nicht behilflich sein.",
    "Als KI darf ich so etwas nicht erstellen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Je ne peux pas répondre à cette demande.",
    "En tant qu'IA, je ne dispose pas d'opinions.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "No puedo crear un cuestionario sobre este tema.",
    "Desculpe, mas não posso ajudar com isso.",
    "Não consigo atender a esse pedido.",
    "Mi dispiace, ma non posso aiutarti.",
    "Non sono in grado di rispondere.",
    "Het spijt me, maar daar kan ik niet bij helpen.",
    "Przykro mi, ale nie mogę w tym pomóc.",
    "Üzgünüm, bu konuda yardımcı olamam.",
    "Извините, но я не могу помочь с этим.",
    "К сожалению, я не могу выполнить этот запрос.",
    "Вибачте, але я не можу допомогти.",
    "عذرًا، لا أستطيع المساعدة في ذلك.",
    "آسف، لا يمكنني الإجابة عن هذا السؤال.",
    "متأسفم، نمی‌توانم در این مورد کمک کنم.",
    "אני מצטער, אבל אני לא יכול לעזור בזה.",
    "抱歉，我无法帮助您完成这个请求。",
    "对不起，这个问题我不能回答。",
    "我無法提供這方面的協助。",
    "I'd prefer not to write about this.",
    "I'm going to have to pass on this one.",
    "I do not have the ability to do that.",
    "It would be inappropriate for me to do so.",
    "The request cannot be fulfilled.",
    "I can't help with that. Would you like another topic?",
    "Sorry, daar kan ik niet bij helpen.",
    "Beklager, det kan jeg ikke hjælpe med.",
    "Prepáčte, ale s týmto vám nemôžem pomôcť.",
    "Žao mi je, ali ne mogu pomoći s tim.",
    "Съжалявам, но не мога да помогна с това.",
    "Maalesef bu isteğe yardımcı olamıyorum.",
    "Ho sento, però no puc ajudar amb això.",
    "Atsiprašau, bet negaliu padėti.",
    "Atvainojiet, bet es nevaru palīdzēt.",
    "Vabandust, aga ma ei saa aidata.",
    "معذرت، میں اس میں مدد نہیں کر سکتا۔",
    "ごめんなさい、それには答えられません。",
    "দুঃখিত, আমি এই বিষয়ে সাহায্য করতে পারছি না।",
    "மன்னிக்கவும், என்னால் இதற்கு உதவ முடியாது.",
    "క్షమించండి, నేను దీనికి సహాయం చేయలేను.",
    "Paumanhin, hindi kita matutulungan diyan.",
    "Samahani, siwezi kukusaidia na hilo.",
    "作为一个AI语言模型，我不会参与这种话题。",
    "申し訳ありませんが、そのご依頼にはお応えできません。",
    "すみませんが、お手伝いできません。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "क्षमा करें, मैं इसमें मदद नहीं कर सकता।",
    "Xin lỗi, tôi không thể giúp việc này.",
    "Maaf, saya tidak dapat membantu permintaan ini.",
    "ขอโทษ ฉันไม่สามารถช่วยเรื่องนี้ได้",
]

NO_REFUSALS = [
    "Was kann ich nicht ins Flugzeug mitnehmen? Flüssigkeiten.",
    "In which film does one hear: I'm sorry, I'm afraid I can't do that?",
    "I cannot tell a lie: this quiz is about George Washington.",
    "Here is your quiz! I can't promise that it is easy.",
    "I couldn't ask for a better topic! Who wrote Hamlet?",
    "残念ながら空を飛べない鳥はどれですか？",
    "Hindi ko alam is Filipino. What does it mean?",
    "",
    "   \n",
    "I can't wait to show you this quiz: ",
    "I can’t wait to show you this quiz!",
    "I cannot stress enough how important water is.",
    "I can't help but smile at this topic. Here are five questions.",
    "I couldn't agree more. Here is the quiz.",
    "Sorry for the wait! Here is your quiz.",
    "Sorry, this took a moment. Here is your quiz.",
    "Ich kann dir ein Quiz machen, das nicht schwer ist.",
    "Je ne suis pas sûr du niveau. Quelle classe ?",
    "Nie mogę się doczekać, żeby pokazać ten quiz!",
    "I'm sorry, but first a word about the topic.",
    "Sure! Here is a quiz about trains.",
    "As an AI, I love quizzes! Here is one.",
    "What level should the quiz have?",
    "Here is the quiz.\n1. Why can fish not fly? I can't say.\n2. What is 'I cannot' in Spanish?",
    "Why can't I see in the dark? Because there is no light.",
    "The cat can't swim.",
    "Ich kann es kaum erwarten, dieses Quiz zu zeigen.",
    "Hier ist das Quiz.",
    "Je ne peux pas attendre de vous montrer ce quiz.",
    "No puedo esperar a mostrarte este cuestionario.",
    "Non vedo l'ora di mostrarti questo quiz.",
    "Voici le quiz.",
    "抱歉让您久等了，这是测验。",
    "お待たせして申し訳ありません。クイズです。",
    "Не могу дождаться, чтобы показать вам викторину!",
    "لا أستطيع الانتظار لعرض هذا الاختبار.",
    "퀴즈입니다.",
]


@pytest.mark.parametrize("prose", REFUSALS)
def test_a_refusal_is_recognised_in_many_languages(prose: str) -> None:
    assert is_refusal(prose)


@pytest.mark.parametrize("prose", NO_REFUSALS)
def test_other_prose_is_no_refusal(prose: str) -> None:
    assert not is_refusal(prose)


def test_a_refusal_shows_itself_at_the_beginning() -> None:
    assert not is_refusal("The sky is blue. " * 40 + "I can't help with that.")
    assert not is_refusal("It is so. It was so. It will be so. I can't help with that.")


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("What level should the quiz have?", True),
        ("Welches Thema?\n\nIch brauche mehr Angaben.", True),
        ("主题是什么？", True),
        ("", False),
        (" \n", False),
        ("...", False),
        ("a" * BRIEF_CHARACTERS, True),
        ("a" * (BRIEF_CHARACTERS + 1), False),
        ("Topics:\n- Trains\n- Birds", False),
        ("1. What is a train?\nA) A car", False),
        ("Here:\n```\nx = 1\n```", False),
        ('"title": "Trains"', False),
        ("# Quiz", False),
    ],
)
def test_brief_prose_has_no_list_and_no_code(prose: str, expected: bool) -> None:
    assert is_brief(prose) is expected
