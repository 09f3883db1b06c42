/**
 * Markdown that may still be growing. The renderer is loaded when it is needed; until then the text is
 * plain.
 */
import { useEffect, useState } from 'react';
import { writingOf } from '../text/writing';
import type { MarkdownProps } from './types';
import '../../look/markdown.css';

type Renderer = typeof import('./RichMarkdown');

let renderer: Renderer | undefined;
let loading: Promise<Renderer | undefined> | undefined;

/** If it can't be loaded (a new release, no connection), the text stays plain, and the next call tries again. */
function load(): Promise<Renderer | undefined> {
  loading ??= import('./RichMarkdown').then(
    (loaded) => {
      renderer = loaded;
      return loaded;
    },
    () => {
      loading = undefined;
      return undefined;
    },
  );
  return loading;
}

let isPreloaded = false;

/**
 * Loads the renderer ahead of the first word, and lets it render a sample when the page is idle.
 * The first rendering costs five times a later one, which would be a visible jolt.
 */
export function preloadMarkdown(): void {
  if (isPreloaded) return;
  isPreloaded = true;
  void load().then((loaded) => {
    if (loaded) window.requestIdleCallback?.(loaded.warmUp);
    else isPreloaded = false;
  });
}

export function Markdown(props: MarkdownProps) {
  // Not React's `lazy`: it would show the plain text first even where the renderer is there.
  const [, setLoaded] = useState(renderer !== undefined);
  const [isPlain, setPlain] = useState(false);
  useEffect(() => {
    if (renderer) return undefined;
    let isCurrent = true;
    void load().then((loaded) => {
      if (!isCurrent) return;
      setLoaded(loaded !== undefined);
      setPlain(loaded === undefined);
    });
    return () => {
      isCurrent = false;
    };
  }, []);
  return renderer ? <renderer.RichMarkdown {...props} /> : <PlainText {...props} isPlain={isPlain} />;
}

/** Nobody should read the marks, so the text waits a second for its renderer before it is seen. */
function PlainText({ text, isWriting, isPlain }: MarkdownProps & { isPlain: boolean }) {
  return (
    <div
      className="prose prose-plain"
      {...writingOf(text)}
      data-caret={isWriting || undefined}
      data-waiting={!isPlain || undefined}
    >
      {text}
    </div>
  );
}
