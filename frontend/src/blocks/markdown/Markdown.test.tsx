import { cleanup, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RichMarkdown } from './RichMarkdown';

afterEach(cleanup);

/** Renders a text and returns its DOM. */
function rendered(text: string, isWriting = false): HTMLElement {
  return render(<RichMarkdown text={text} isWriting={isWriting} />).container;
}

const HOSTILE: Readonly<Record<string, string>> = {
  'a script': 'Hi <script>window.hacked = 1</script> you',
  'a block of script': '<script src="https://evil.test/x.js">\nwindow.hacked = 1\n</script>',
  'a javascript: link': '[click](javascript:window.hacked=1)',
  'a javascript: link in disguise': '[click](JaVaScRiPt&colon;window.hacked=1) <javascript:window.hacked=1>',
  'a vbscript: link': '[click](vbscript:msgbox)',
  'a data: link': '[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  'a link by reference': '[click][1]\n\n[1]: javascript:window.hacked=1',
  'a blob: link': '[click](blob:https://evil.test/0-0-0)',
  'a remote image': '![cat](https://evil.test/cat.png)',
  'a remote image by reference': '![cat][1]\n\n[1]: https://evil.test/cat.png',
  'a remote image in a link': '[![cat](https://evil.test/cat.png)](https://good.test/)',
  'a data: image': '![cat](data:image/svg+xml;base64,PHN2Zy8+)',
  'an <img>': '<img src="https://evil.test/cat.png" onerror="window.hacked = 1">',
  'an iframe': '<iframe src="https://evil.test/"></iframe>',
  'a frame with a document of its own': '<iframe srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  'a style attribute': '<p style="background: url(https://evil.test/x)">styled</p>',
  'a style element': '<style>body { background: url(https://evil.test/x) }</style>',
  'a form': '<form action="https://evil.test/"><input name="password"><button>Go</button></form>',
  'an event handler': '<b onclick="window.hacked = 1" onmouseover="window.hacked = 1">bold</b>',
  'an svg': '<svg onload="window.hacked = 1"><use href="https://evil.test/#x"/></svg>',
  'an object': '<object data="https://evil.test/"></object><embed src="https://evil.test/">',
  'a base and a refresh': '<base href="https://evil.test/"><meta http-equiv="refresh" content="0;https://evil.test/">',
  'an attribute that breaks out': '[a](https://good.test/"onmouseover="window.hacked=1)',
  'html in a table': '| a |\n|---|\n| <img src=https://evil.test/x onerror=alert(1)> |',
  'mermaid': '```mermaid\ngraph TD; A["<img src=https://evil.test/x>"]\n```',
  'a footnote that takes an id of the page’s': 'Text[^app]\n\n[^app]: note',
  'half of a tag at the end': 'and then <img src="https://evil.test/x" onerror="',
};

const ATTRIBUTES = new Set([
  ...['class', 'href', 'rel', 'target', 'title', 'align', 'start', 'role', 'tabindex', 'type', 'dir', 'lang'],
  ...['aria-label', 'aria-hidden', 'data-caret', 'data-done', 'data-shown', 'data-sd-caret-hidden'],
]);
const FORBIDDEN =
  'script, style, img, picture, source, iframe, object, embed, form, input, textarea, select, svg, math, link, meta, base, video, audio, template';

describe('hostile text from a model', () => {
  test.each(Object.entries(HOSTILE))('%s does nothing and loads nothing', (_, text) => {
    const fetched = vi.spyOn(globalThis, 'fetch');
    for (const isWriting of [true, false]) {
      const container = rendered(text, isWriting);
      expect(container.querySelector(FORBIDDEN)).toBeNull();
      for (const element of container.querySelectorAll('*')) {
        for (const { name } of element.attributes) expect(ATTRIBUTES).toContain(name);
      }
      for (const link of container.querySelectorAll('a')) {
        // A bare address in the text is an ordinary link: harmless until someone follows it.
        expect(link.href).toMatch(/^https:\/\//u);
        expect(link.rel).toBe('noopener noreferrer nofollow');
      }
      cleanup();
    }
    expect('hacked' in window).toBe(false);
    expect(fetched).not.toHaveBeenCalled();
  });

  test('raw HTML is shown as text', () => {
    expect(rendered('Hi <b onclick="x()">you</b>').textContent).toBe('Hi <b onclick="x()">you</b>');
  });

  test('an image is its alternative text', () => {
    expect(rendered('See ![a cat](https://evil.test/cat.png).').textContent).toBe('See a cat.');
  });

  test('a link into this site is not a link', () => {
    const container = rendered('[out](/accounts/logout) [up](../x) [there](#a) [who](//evil.test/)');
    expect(container.querySelector('a')).toBeNull();
    expect(container.textContent).toBe('out up there who');
  });

  test('an external link opens in a new tab, and tells the other site nothing', () => {
    const link = rendered('[good](https://good.test/page)').querySelector('a');
    expect(link?.getAttribute('rel')).toBe('noopener noreferrer nofollow');
    expect(link?.target).toBe('_blank');
    expect(link?.href).toBe('https://good.test/page');
  });

  test('mail links are allowed', () => {
    expect(rendered('<mailto:a@good.test>').querySelector('a')?.href).toBe('mailto:a@good.test');
  });
});

function tags(container: HTMLElement): string[] {
  return [...container.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((heading) => heading.tagName);
}

describe('markdown', () => {
  test('headings start below the page’s own', () => {
    const container = rendered('# One\n\n## Two\n\n###### Six');
    expect(tags(container)).toEqual(['H2', 'H3', 'H4']);
  });

  test('headings skip no level, wherever the model starts', () => {
    expect(tags(rendered('### One\n\n#### Two\n\n### Three'))).toEqual(['H2', 'H3', 'H2']);
  });

  test('a table scrolls by itself, can be reached by keyboard, and keeps its line breaks', () => {
    const container = rendered('| a | b |\n|---|--:|\n| 1<br>2 | 3 |');
    const scroller = container.querySelector<HTMLElement>('.table-scroll');
    expect(scroller?.tabIndex).toBe(0);
    expect(scroller?.querySelector('td br')).not.toBeNull();
  });

  test('tasks say whether they are done, without a field', () => {
    const container = rendered('- [x] bread\n- [ ] butter');
    expect(container.textContent).toMatch(/done: .*bread.*to do: .*butter/su);
  });

  test('the caret is on the innermost block at the end, while the text is written', () => {
    const { container, rerender } = render(<RichMarkdown text={'One\n\n- two\n- three'} isWriting />);
    const caret = () => container.querySelectorAll('[data-caret]');
    expect(caret()).toHaveLength(1);
    expect(caret()[0]?.textContent).toBe('three');
    rerender(<RichMarkdown text={'One\n\n- two\n- three\n\nFour'} isWriting />);
    expect(caret()).toHaveLength(1);
    expect(caret()[0]?.textContent).toBe('Four');
    rerender(<RichMarkdown text={'One\n\n- two\n- three\n\nFour'} isWriting={false} />);
    expect(caret()).toHaveLength(0);
  });

  test('existing text is not rendered again when more arrives', () => {
    const { container, rerender } = render(<RichMarkdown text={'One\n\nTwo'} isWriting />);
    const first = container.querySelector('p');
    rerender(<RichMarkdown text={'One\n\nTwo three\n\nFour'} isWriting />);
    expect(container.querySelector('p')).toBe(first);
    expect(container.textContent).toBe('OneTwo threeFour');
  });
});

describe('code', () => {
  const OPEN = 'So:\n\n```python\nreturn "x"  # done';

  test('is plain while its fence is open; then it is highlighted and can be copied', async () => {
    const user = userEvent.setup();
    const { container, rerender } = render(<RichMarkdown text={OPEN} isWriting />);
    expect(container.querySelector('pre')?.textContent).toBe('return "x"  # done');
    expect(screen.queryByRole('button')).toBeNull();
    await new Promise((done) => setTimeout(done, 20));
    expect(container.querySelector('pre span')).toBeNull();

    rerender(<RichMarkdown text={`${OPEN}\n\`\`\`\n`} isWriting />);
    const block = within(container.querySelector('figure') ?? container);
    expect((await block.findByText('return')).className).toBe('code-keyword');
    expect(block.getByText('# done').className).toBe('code-comment');
    await user.click(block.getByRole('button', { name: 'Copy' }));
    expect(await navigator.clipboard.readText()).toBe('return "x"  # done');
  });

  test('within a line has no block of its own', () => {
    const container = rendered('Call `f()` now.');
    expect(container.querySelector('p > code')?.textContent).toBe('f()');
    expect(container.querySelector('figure')).toBeNull();
  });
});

test('the text is shown plain until the renderer is loaded', async () => {
  vi.resetModules();
  const { Markdown } = await import('./Markdown');
  const { container } = render(<Markdown text={'# Title\n\nText'} isWriting />);
  expect(container.querySelector('.prose-plain')?.textContent).toBe('# Title\n\nText');
  expect((await screen.findByRole('heading')).textContent).toBe('Title');
  expect(container.querySelector('.prose-plain')).toBeNull();
});
