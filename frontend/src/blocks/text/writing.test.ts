import { describe, expect, test } from 'vitest';
import { directionOf, writingOf } from './writing';

describe('the language of a text', () => {
  test.each([
    ['空はなぜ青いのですか？', 'ja'],
    ['東京都の人口', 'ja'],
    ['Reactのコンポーネントを書く', 'ja'],
    ['天空为什么是蓝色的？', 'zh-Hans'],
    ['這個問題為什麼重要？', 'zh-Hant'],
    ['山水', 'zh'],
    ['日语里的「の」是什么意思？它是一个助词', 'zh-Hans'],
    ['하늘은 왜 파란가요?', 'ko'],
    ['大韓民國은 민주공화국이다', 'ko'],
    ['למה השמיים כחולים?', 'he'],
    ['ทำไมท้องฟ้าจึงเป็นสีฟ้า', 'th'],
    ['Γιατί είναι ο ουρανός μπλε;', 'el'],
    ['რატომ არის ცა ლურჯი?', 'ka'],
    ['வானம் ஏன் நீலமாக இருக்கிறது?', 'ta'],
    ['请看这里：https://en.example.org/wiki/Rayleigh_scattering', 'zh-Hans'],
    ['`print([x for x in range(10)])` の出力は？', 'ja'],
  ])('%s is %s', (text, lang) => expect(writingOf(text).lang).toBe(lang));

  test.each([
    'Why is the sky blue?',
    'Почему небо голубое?',
    'لماذا السماء زرقاء؟',
    'आसमान नीला क्यों है?',
    'What does the Japanese word 空 mean, and how is it used in a sentence?',
    'The sum of α and β is γ',
    'α + β = γ',
    '42 + 1 = 43',
    '',
  ])('is not known from %j', (text) => expect(writingOf(text).lang).toBeUndefined());
});

describe('the direction of a text', () => {
  test.each([
    ['لماذا السماء زرقاء؟', 'rtl'],
    ['React هي مكتبة لبناء الواجهات', 'rtl'],
    ['React چیست؟', 'rtl'],
    ['1. שלום עולם', 'rtl'],
    ['ދިވެހި', 'rtl'],
    ['How do I say שלום?', 'ltr'],
    ['JavaScript هي لغة', 'rtl'],
    ['ما هو GraphQL وكيف يختلف عن REST API architecture؟', 'rtl'],
    ['שלום is hello', 'rtl'],
    ['שלום is how people greet each other in Hebrew', 'ltr'],
    ['ما ناتج `print([x for x in range(10)])`؟', 'rtl'],
    ['ما قيمة \\(\\int_0^1 f(x) dx + \\sin(x) + \\cos(x)\\)؟', 'rtl'],
    ['ما قيمة $a + b + c + d + e$؟', 'rtl'],
    ['المصدر: https://en.example.org/wiki/Rayleigh_scattering/of_light', 'rtl'],
    ['`x = y`', 'ltr'],
    ['Почему небо голубое?', 'ltr'],
    ['空はなぜ青い', 'ltr'],
  ])('of %s is %s', (text, direction) => expect(directionOf(text)).toBe(direction));

  test('is not known without letters', () => {
    expect(directionOf('1 + 1 = 2')).toBeUndefined();
    expect(writingOf('123')).toEqual({});
  });
});
