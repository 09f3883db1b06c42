/** What was typed and not yet asked, kept on the device. */
import { useCallback, useState } from 'react';
import type { OptionValues } from './options';

export interface Draft {
  prompt: string;
  options: OptionValues;
}

export interface DraftHandle extends Draft {
  setPrompt(prompt: string): void;
  setOptions(options: OptionValues): void;
}

const EMPTY: Draft = { prompt: '', options: {} };

/**
 * A draft that outlives a reload.
 *
 * @param key - one per composer, e.g. the block's slug. Another key is another draft.
 * @param initial - stands in for what was kept.
 */
export function useDraft(key: string, initial?: Partial<Draft>): DraftHandle {
  const [draft, setDraft] = useState(() => ({ key, ...readDraft(key), ...defined(initial) }));
  if (draft.key !== key) setDraft({ key, ...readDraft(key) });
  const change = useCallback(
    (part: Partial<Draft>) =>
      setDraft((held) => {
        const next = { ...held, ...part };
        writeDraft(next.key, next);
        return next;
      }),
    [],
  );
  return {
    prompt: draft.prompt,
    options: draft.options,
    setPrompt: useCallback((prompt) => change({ prompt }), [change]),
    setOptions: useCallback((options) => change({ options }), [change]),
  };
}

/** Once it was asked, it is no draft; the options stay as they were set. */
export function forgetPrompt(key: string): void {
  writeDraft(key, { ...readDraft(key), prompt: '' });
}

function nameOf(key: string): string {
  return `liveai.draft.${key}`;
}

function readDraft(key: string): Draft {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(nameOf(key)) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return EMPTY;
    const { prompt, options } = kept as Partial<Draft>;
    return {
      prompt: typeof prompt === 'string' ? prompt : '',
      options: typeof options === 'object' && options !== null ? options : {},
    };
  } catch {
    return EMPTY; // storage refused, or written by something else
  }
}

function writeDraft(key: string, { prompt, options }: Draft): void {
  try {
    const isEmpty = prompt === '' && Object.keys(options).length === 0;
    if (isEmpty) localStorage.removeItem(nameOf(key));
    else localStorage.setItem(nameOf(key), JSON.stringify({ prompt, options }));
  } catch {
    // Full, or refused: a draft is a kindness, no more.
  }
}

function defined(initial: Partial<Draft> = {}): Partial<Draft> {
  return Object.fromEntries(Object.entries(initial).filter(([, value]) => value !== undefined));
}
