/** Markdown as it is written. The renderer is a chunk of its own; until it is there, plain text. */
import { lazy, Suspense } from 'react';
import type { MarkdownProps } from './types';
import '../../look/markdown.css';

// A chunk that can't be loaded (a new release is out, the line is down) must not take the text along.
const load = () =>
  import('./RichMarkdown').then(
    ({ RichMarkdown }) => ({ default: RichMarkdown }),
    () => ({ default: PlainText }),
  );
const LazyMarkdown = lazy(load);

let isPreloaded = false;

/**
 * Fetches the renderer ahead of the first word, and lets it draw a little when the page is idle:
 * its first drawing costs five times what a later one does, which would be seen as a jolt.
 */
export function preloadMarkdown(): void {
  if (isPreloaded) return;
  isPreloaded = true;
  import('./RichMarkdown').then(
    ({ warmUp }) => window.requestIdleCallback?.(warmUp),
    () => {
      isPreloaded = false;
    },
  );
}

export function Markdown(props: MarkdownProps) {
  return (
    <Suspense fallback={<PlainText {...props} />}>
      <LazyMarkdown {...props} />
    </Suspense>
  );
}

function PlainText({ text, isWriting }: MarkdownProps) {
  return (
    <div className="prose prose-plain" data-caret={isWriting || undefined}>
      {text}
    </div>
  );
}
