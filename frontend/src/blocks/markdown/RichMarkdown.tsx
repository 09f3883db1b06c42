/** Streamdown with our own elements, and what a model wrote taken as hostile. */
import { startTransition, useLayoutEffect, useRef } from 'react';
import { createRoot } from 'react-dom/client';
import { Streamdown } from 'streamdown';
import type { MarkdownProps } from './types';
import { headingLevels } from './headingLevels';
import { liveRepair } from './liveRepair';
import { elementsFor } from './markdownElements';
import { rehypePlugins, remarkPlugins } from './markdownSafety';

export function RichMarkdown({ text, isWriting }: MarkdownProps) {
  const root = useRef<HTMLDivElement>(null);
  useCaret(root, isWriting);
  return (
    <div className="prose" ref={root}>
      <Streamdown
        isAnimating={isWriting}
        parseIncompleteMarkdown={isWriting}
        remend={liveRepair}
        components={elementsFor(headingLevels(text))}
        rehypePlugins={rehypePlugins}
        remarkPlugins={remarkPlugins}
        controls={false}
        linkSafety={NO_DIALOG}
      >
        {text}
      </Streamdown>
    </div>
  );
}

/** Links say where they go, and open in a tab of their own; no dialog in between. */
const NO_DIALOG = { enabled: false };

const BLOCKS = 'P,UL,OL,LI,H2,H3,H4,H5,H6,BLOCKQUOTE,DIV,PRE,TABLE,TBODY,TR,TD,FIGURE';
const isBlock = new Set(BLOCKS.split(','));

/** Marks the innermost block at the end: where it is depends on what was written last. */
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

/** A little of everything that an answer is likely to begin with. */
const SAMPLE = '# A\n\nB **c** *d* `e` [f](https://g.h).\n\n- i\n- j\n\n| k |\n|---|\n| l |\n\n```js\nm();\n```\n';

/** Draw once out of sight, so that the engine has compiled what the first words need. */
export function warmUp(): void {
  const root = createRoot(document.createElement('div'));
  // As a transition it gives way to whatever the reader does.
  startTransition(() => root.render(<RichMarkdown text={SAMPLE} isWriting />));
  setTimeout(() => root.unmount(), 2_000);
}
