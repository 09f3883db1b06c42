/**
 * A line that a model wrote: a question, an option, a title. Its code, bold, italics and formulas
 * are shown as such.
 */
import { lazy, memo, Suspense } from 'react';

export interface InlineTextProps {
  text: string;
  /** Whether the text may grow. */
  isWriting?: boolean;
}

const MARKS = /[*_`$\\]/u;

// If the chunk can't be loaded, the text is shown as it was written.
const LazyInline = lazy(() =>
  import('./inlineMarkdown').then(
    ({ inlineMarkdown }) => ({ default: ({ text, isWriting = false }: InlineTextProps) => inlineMarkdown(text, isWriting) }),
    () => ({ default: ({ text }: InlineTextProps) => text }),
  ),
);

export const InlineText = memo(function InlineText(props: InlineTextProps) {
  // Most lines have no marks, and most pages therefore need no parser.
  if (!MARKS.test(props.text)) return props.text;
  return (
    <Suspense fallback={props.text}>
      <LazyInline {...props} />
    </Suspense>
  );
});
