/**
 * How a text is written: its language, where the script tells it, and its direction.
 * Browsers choose fonts and line breaks by language, and order words by direction.
 */

export interface Writing {
  /** A BCP 47 tag; undefined where many languages share the script, as with Latin and Arabic. */
  lang?: string;
  /** Undefined for a text without letters. */
  dir?: 'ltr' | 'rtl';
}

/** Longer texts are judged by their beginning; in characters. */
const AT_MOST = 600;

/** Returns attributes for the element that shows a text: `<h1 {...writingOf(title)}>`. */
export function writingOf(text: string): Writing {
  const sample = text.slice(0, AT_MOST);
  // Most texts, and a growing one is asked again and again.
  if (!/[^\0-\u024f\u2000-\u2bff]/u.test(sample)) return /\p{L}/u.test(sample) ? { dir: 'ltr' } : {};
  const lang = languageOf(sample.replace(NO_WORDS, ' '));
  const dir = directionOf(sample);
  return { ...(lang && { lang }), ...(dir && { dir }) };
}

const RTL_SCRIPT =
  /^[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}]/u;
const WORD = /\p{L}[\p{L}\p{M}\p{N}]*/gu;
/** Code, formulas and addresses are Latin in every language. */
const NO_WORDS = /(`+)[^`]+\1|\\\(.*?\\\)|\\\[[^]*?\\\]|\$[^\s$][^$]*\$|\\\w+|(?:https?:\/\/|www\.)[!-~]+/gu;

/** A text with more than this share of right-to-left words is one that names foreign terms. */
const RTL_SHARE = 0.4;
/** With a smaller share than the other, but at least this, the first word decides. */
const RTL_SHARE_AT_LEAST = 0.2;

/**
 * Returns the direction of most of a text's words. The first letter alone would misjudge an Arabic
 * sentence that begins with a product's name, and letters alone one that has long foreign words.
 */
export function directionOf(text: string): 'ltr' | 'rtl' | undefined {
  const words = [...text.replace(NO_WORDS, ' ').matchAll(WORD)].map(([word]) => RTL_SCRIPT.test(word));
  if (words.length === 0) return /\p{L}/u.test(text) ? 'ltr' : undefined;
  const share = words.filter(Boolean).length / words.length;
  return share > RTL_SHARE || (share >= RTL_SHARE_AT_LEAST && words[0]) ? 'rtl' : 'ltr';
}

/** Scripts that one language alone uses, or nearly so. Two letters in a row are a word of it. */
const SCRIPTS: readonly (readonly [script: string, lang: string])[] = [
  ['Armenian', 'hy'],
  ['Georgian', 'ka'],
  ['Greek', 'el'],
  ['Gujarati', 'gu'],
  ['Gurmukhi', 'pa'],
  ['Hangul', 'ko'],
  ['Hebrew', 'he'],
  ['Kannada', 'kn'],
  ['Khmer', 'km'],
  ['Lao', 'lo'],
  ['Malayalam', 'ml'],
  ['Myanmar', 'my'],
  ['Oriya', 'or'],
  ['Sinhala', 'si'],
  ['Tamil', 'ta'],
  ['Telugu', 'te'],
  ['Thai', 'th'],
  ['Tibetan', 'bo'],
];
const WORDS = SCRIPTS.map(([script, lang]) => ({ lang, pattern: new RegExp(`[\\p{Script=${script}}\\p{M}]{2,}`, 'gu') }));

const HAN = /\p{Script=Han}/gu;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu;
/** Frequent characters that exist in one of the two sets only. */
const SIMPLIFIED = /[们这为说时会国对过还没关发见长门问间书学东车马鸟鱼语读写认识电网气图线级经济业产务动应该让样种]/u;
const TRADITIONAL = /[們這為說時會國對過還沒關發見長門問間書學東車馬鳥魚語讀寫認識電網氣圖線級經濟業產務動應該讓樣種]/u;

/** Of a text's letters, this share must be of the script. A quoted word is not the text's language. */
const LANGUAGE_SHARE = 1 / 3;
/** Japanese has at least this share of kana; a Chinese text may quote a few. */
const KANA_SHARE = 0.1;

const LETTER = /\p{L}/gu;

function languageOf(text: string): string | undefined {
  const enough = count(text, LETTER) * LANGUAGE_SHARE;
  if (enough === 0) return undefined;
  const known = WORDS.find(({ pattern }) => count(text, pattern) >= enough);
  // Before Han, which Korean uses too.
  if (known) return known.lang;
  const [han, kana] = [count(text, HAN), count(text, KANA)];
  if (han + kana < enough) return undefined;
  return kana > (han + kana) * KANA_SHARE ? 'ja' : chinese(text);
}

function chinese(text: string): string {
  const [isSimplified, isTraditional] = [SIMPLIFIED.test(text), TRADITIONAL.test(text)];
  if (isSimplified === isTraditional) return 'zh';
  return isSimplified ? 'zh-Hans' : 'zh-Hant';
}

/** Counts the characters in all matches. */
function count(text: string, pattern: RegExp): number {
  let characters = 0;
  for (const [match] of text.matchAll(pattern)) characters += match.length;
  return characters;
}
