/** Markdown as it is written. The renderer is a chunk of its own; until it is there, plain text. */
import { lazy, Suspense } from 'react';
import '../look/markdown.css';

export interface MarkdownProps {
  text: string;
  /** Whether more will come: then a caret stands at the end. */
  isWriting: boolean;
}

// A chunk that can't be loaded (a new release is out, the line is down) must not take the text along.
const load = () =>
  import('./RichMarkdown').then(
    ({ RichMarkdown }) => ({ default: RichMarkdown }),
    () => ({ default: PlainText }),
  );
const LazyMarkdown = lazy(load);

/** Fetches the renderer ahead of the first word. */
export function preloadMarkdown(): void {
  void import('./RichMarkdown').catch(() => undefined);
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
