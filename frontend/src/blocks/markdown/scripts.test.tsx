/** Answers in other scripts than Latin: marks beside their punctuation, direction, language. */
import { cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, test } from 'vitest';
import { RichMarkdown } from './RichMarkdown';

afterEach(cleanup);

function rendered(text: string, isWriting = false): HTMLElement {
  return render(<RichMarkdown text={text} isWriting={isWriting} />).container;
}

function texts(container: HTMLElement, selector: string): (string | null)[] {
  return [...container.querySelectorAll(selector)].map(({ textContent }) => textContent);
}

describe('bold beside the punctuation of', () => {
  test.each<[string, string, string[]]>([
    ['Chinese', '**重要提示（Important）：**请注意。', ['重要提示（Important）：']],
    ['Japanese', '**日本語の文章（括弧付き）。**この文が続きます。', ['日本語の文章（括弧付き）。']],
    ['Korean', '**“공개 문서는 점검한다”**는 원칙입니다.', ['“공개 문서는 점검한다”']],
    ['Chinese, with a quotation', '他说**“你好”**，然后**《红楼梦》**是名著。', ['“你好”', '《红楼梦》']],
    ['Chinese, before Latin words', '**框架:**React，**接口（API）:**REST', ['框架:', '接口（API）:']],
    ['English', '**Step 1:**Do it. **No!**Stop.', ['Step 1:', 'No!']],
    ['English, where it begins', 'Note:**this** and see:**that** one', ['this', 'that']],
    ['Chinese, with code', '使用**`npm install`**命令', ['npm install']],
  ])('%s', (_, text, bold) => {
    const container = rendered(text);
    expect(texts(container, 'strong')).toEqual(bold);
    expect(container.textContent).not.toContain('*');
  });

  test.each(['这是~~错误（旧）~~的', '这是*强调（重要）*的'])('other marks work too: %s', (text) => {
    expect(rendered(text).textContent).not.toMatch(/[~*]/u);
  });

  test('a formula is bold too', () => {
    const container = rendered('设**$x$**为实数');
    expect(container.querySelector('strong :is(.formula, .formula-source)')).toBeTruthy();
    expect(container.textContent).not.toContain('*');
  });

  test('a link has no marks around it', () => {
    expect(rendered('见**[文档（中文）](https://a.test/)**。').textContent).toBe('见文档（中文）。');
  });
});

describe('a bare address', () => {
  test.each([
    ['See https://a.test/b_c?x=1&y=2。そして', 'https://a.test/b_c?x=1&y=2'],
    ['请访问https://a.test/b，谢谢', 'https://a.test/b'],
    ['（https://a.test/b）を見て', 'https://a.test/b'],
    ['「https://a.test/b」', 'https://a.test/b'],
    ['“https://a.test/b”', 'https://a.test/b'],
    ['انظر https://a.test/b، ثم', 'https://a.test/b'],
    ['https://a.test/b；https', 'https://a.test/b'],
    ['https://a.test/Michelson–Morley', 'https://a.test/Michelson%E2%80%93Morley'],
    ['https://a.test/日本語', 'https://a.test/%E6%97%A5%E6%9C%AC%E8%AA%9E'],
    ['见 www.a.test/b。', 'http://www.a.test/b'],
    ['看(https://a.test/b)吧', 'https://a.test/b'],
    ['(见https://a.test/b)。', 'https://a.test/b'],
    ['（见https://a.test/b_(c)）。', 'https://a.test/b_(c)'],
    ['打开https://a.test/b,然后', 'https://a.test/b'],
    ['"https://a.test/b"입니다', 'https://a.test/b'],
    ['访问https://a.test是', 'https://a.test/'],
    ['http://localhost:8000에서', 'http://localhost:8000/'],
    ['www.a.test是', 'http://www.a.test/'],
    ['https://例え.jp/b', 'https://xn--r8jz45g.jp/b'],
    ['https://a.test/Talk:中文', 'https://a.test/Talk:%E4%B8%AD%E6%96%87'],
  ])('in %s', (text, href) => {
    const container = rendered(text);
    expect(container.querySelector('a')?.href).toBe(href);
    expect(container.textContent).toBe(text);
  });

  test('is found behind another one', () => {
    const container = rendered('見る https://a.test/b。そして「https://a.test/c」、www.a.test！');
    expect([...container.querySelectorAll('a')].map(({ href }) => href)).toEqual([
      ...['https://a.test/b', 'https://a.test/c', 'http://www.a.test/'],
    ]);
  });

  test('in a link with words of its own is not cut', () => {
    expect(rendered('[这里](https://a.test/b，c)').querySelector('a')?.href).toBe('https://a.test/b%EF%BC%8Cc');
  });
});

describe('the direction of', () => {
  const ARABIC =
    '# السماء زرقاء\n\nReact هي مكتبة لبناء واجهات المستخدم، وهذا يسمى `Rayleigh scattering`.\n\n1. أولاً\n2. React\n\n> اقتباس\n\n| عمود | API |\n|---|---|\n| قيمة | ٢ |\n\n```js\nx()\n```\n\nIn English.';

  function directionAt(container: HTMLElement, selector: string): string | null | undefined {
    return container.querySelector(selector)?.closest('[dir]')?.getAttribute('dir');
  }

  test.each([
    ['a heading', 'h2', 'rtl'],
    ['a paragraph that begins with a foreign name', 'p', 'rtl'],
    ['an item, from its list', 'li:last-child', 'rtl'],
    ['a quotation', 'blockquote', 'rtl'],
    ['a table', '.table-scroll', 'rtl'],
    ['a cell of letters', 'td', 'rtl'],
    ['a cell of digits, from its table', 'td:last-child', 'rtl'],
    ['a foreign cell', 'th:last-child', 'ltr'],
    ['code in a line', 'p code', 'ltr'],
    ['a block of code', 'pre', 'ltr'],
    ['a foreign paragraph', '.prose > div > p:last-child', 'ltr'],
  ])('%s', (_, selector, direction) => {
    expect(directionAt(rendered(ARABIC), selector)).toBe(direction);
  });

  test('foreign words in a list differ from it; the item does not', () => {
    const container = rendered('- نقطة أولى\n- In English.\n  - نقطة\n  - Nested.\n\nText\n\n1. In plain English\n\n   نص عربي');
    expect([...container.querySelectorAll('ul, ol, li')].map((element) => element.getAttribute('dir'))).toEqual([
      ...['rtl', null, null, null, null, null],
      ...['ltr', null],
    ]);
    expect(texts(container, 'li > span[dir="ltr"]').map((words) => words?.trim())).toEqual(['In English.', 'Nested.']);
    expect(texts(container, 'li > p[dir="rtl"]')).toEqual(['نص عربي']);
  });

  test('a paragraph of code alone is not known', () => {
    expect(rendered('`x`').querySelector('p')?.hasAttribute('dir')).toBe(false);
  });
});

describe('the language of', () => {
  test('an answer is on the answer, and its Han-only headings inherit it', () => {
    const container = rendered('# 概要\n\n空はなぜ青いのか。光が散乱するからです。');
    expect(container.querySelector('.prose')?.getAttribute('lang')).toBe('ja');
    expect(container.querySelector('h2')?.hasAttribute('lang')).toBe(false);
  });

  test('a foreign paragraph is on the paragraph', () => {
    const english = 'This is what people say in Greek and in Korean, and it is well known to everybody who lives there. '.repeat(2);
    const container = rendered(`${english}\n\nΟ ουρανός είναι μπλε.\n\n하늘은 파랗습니다.`);
    expect(container.querySelector('.prose')?.hasAttribute('lang')).toBe(false);
    expect([...container.querySelectorAll('p')].map(({ lang }) => lang)).toEqual(['', 'el', 'ko']);
  });
});
