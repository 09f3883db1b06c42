/** Streamdown with our own elements. Treats the model's text as hostile. */
import { startTransition, useLayoutEffect, useRef } from 'react';
import { createRoot } from 'react-dom/client';
import { Streamdown } from 'streamdown';
import type { MarkdownProps } from './types';
import { headingLevels } from './headingLevels';
import { hideFormulas } from '../text/formulaSource';
import { writingOf } from '../text/writing';
import { liveRepair } from './liveRepair';
import { elementsFor } from './markdownElements';
import { remarkPlugins } from './markdownSyntax';
import { rehypePluginsFor } from './markdownWriting';

export function RichMarkdown({ text, isWriting }: MarkdownProps) {
  const root = useRef<HTMLDivElement>(null);
  useCaret(root, isWriting);
  const { lang } = writingOf(text);
  return (
    <div className="prose" lang={lang} ref={root}>
      <Streamdown
        isAnimating={isWriting}
        parseIncompleteMarkdown={isWriting}
        remend={liveRepair}
        components={elementsFor(headingLevels(text))}
        rehypePlugins={rehypePluginsFor(lang)}
        remarkPlugins={remarkPlugins}
        controls={false}
        linkSafety={NO_DIALOG}
      >
        {hideFormulas(text, isWriting)}
      </Streamdown>
    </div>
  );
}

/** Links show their target and open in a new tab, without a dialog. */
const NO_DIALOG = { enabled: false };

const BLOCKS = 'P,UL,OL,LI,H2,H3,H4,H5,H6,BLOCKQUOTE,DIV,PRE,TABLE,TBODY,TR,TD,FIGURE';
const isBlock = new Set(BLOCKS.split(','));

/** Puts the caret on the innermost block at the end, which depends on what was written last. */
function useCaret(root: React.RefObject<HTMLElement | null>, isWriting: boolean): void {
  useLayoutEffect(() => {
    const last = isWriting ? lastBlock(root.current) : null;
    last?.setAttribute('data-caret', '');
    return () => last?.removeAttribute('data-caret');
  });
}

function lastBlock(root: Element | null): Element | null {
  let block = root;
  for (;;) {
    const child: Element | null | undefined = block?.lastElementChild;
    if (!child || !isBlock.has(child.tagName) || child.hasAttribute('data-caret-stop')) return block;
    block = child;
  }
}

/** A sample of everything that an answer is likely to begin with. */
const SAMPLE = '# A\n\nB **c** *d* `e` [f](https://g.h).\n\n- i\n- j\n\n| k |\n|---|\n| l |\n\n```js\nm();\n```\n';

/** Renders once off-screen, so that the engine compiles the code that the first words need. */
export function warmUp(): void {
  const root = createRoot(document.createElement('div'));
  // A transition yields to user input.
  startTransition(() => root.render(<RichMarkdown text={SAMPLE} isWriting />));
  setTimeout(() => root.unmount(), 2_000);
}
