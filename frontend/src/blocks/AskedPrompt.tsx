/** The prompt as the title of its answer. A long one is cut, and opens. */
import { type RefObject, useId, useState } from 'react';
import { writingOf } from './text/writing';

/** A prompt of at most these is a headline as it is. */
const MOST_CHARACTERS = 280;
const MOST_LINES = 4;
/** What is shown of a longer one. */
const SHOWN_CHARACTERS = 200;
const SHOWN_LINES = 3;

export interface AskedPromptProps {
  prompt: string;
  title: RefObject<HTMLHeadingElement | null>;
}

export function AskedPrompt({ prompt, title }: AskedPromptProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const isLong = prompt.length > MOST_CHARACTERS || prompt.split('\n').length > MOST_LINES;
  return (
    <>
      <h1 className="asked" id={id} {...writingOf(prompt)} data-long={isLong || undefined} ref={title} tabIndex={-1}>
        {isLong && !isOpen ? beginningOf(prompt) : prompt}
      </h1>
      {isLong && (
        <button
          type="button"
          className="button-link asked-more"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Show less' : 'Show all'}
        </button>
      )}
    </>
  );
}

/** Returns the first lines of a text, cut between words where it has any. */
export function beginningOf(text: string): string {
  const lines = text.trim().split('\n').slice(0, SHOWN_LINES).join('\n');
  if (lines.length <= SHOWN_CHARACTERS) return `${lines.trimEnd()}…`;
  let cut = '';
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(lines.slice(0, 2 * SHOWN_CHARACTERS))) {
    if (cut.length + segment.length > SHOWN_CHARACTERS) break;
    cut += segment;
  }
  // A single word may be longer than all that is shown.
  return `${(cut || [...lines].slice(0, SHOWN_CHARACTERS).join('')).trimEnd()}…`;
}
