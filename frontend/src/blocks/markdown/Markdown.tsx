/**
 * Markdown that may still be growing. The renderer is a lazy chunk; until it is loaded, the text is
 * plain.
 */
import { lazy, Suspense } from 'react';
import { writingOf } from '../text/writing';
import type { MarkdownProps } from './types';
import '../../look/markdown.css';

// If the chunk can't be loaded (a new release, no connection), show plain text instead of nothing.
const load = () =>
  import('./RichMarkdown').then(
    ({ RichMarkdown }) => ({ default: RichMarkdown }),
    () => ({ default: PlainText }),
  );
const LazyMarkdown = lazy(load);

let isPreloaded = false;

/**
 * Loads the renderer ahead of the first word, and lets it render a sample when the page is idle.
 * The first rendering costs five times a later one, which would be a visible jolt.
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
    <div className="prose prose-plain" {...writingOf(text)} data-caret={isWriting || undefined}>
      {text}
    </div>
  );
}
