/** What the user has typed but not asked yet, stored on the device. */
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
 * A draft that survives a reload.
 *
 * @param key - one per composer, such as the block's slug. Each key has its own draft.
 * @param initial - overrides what is stored.
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

/** Forgets the prompt once it was asked. The options are kept. */
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
    return EMPTY; // storage is blocked, or holds something else
  }
}

function writeDraft(key: string, { prompt, options }: Draft): void {
  try {
    const isEmpty = prompt === '' && Object.keys(options).length === 0;
    if (isEmpty) localStorage.removeItem(nameOf(key));
    else localStorage.setItem(nameOf(key), JSON.stringify({ prompt, options }));
  } catch {
    // Storage is full or blocked. Saving a draft is optional.
  }
}

function defined(initial: Partial<Draft> = {}): Partial<Draft> {
  return Object.fromEntries(Object.entries(initial).filter(([, value]) => value !== undefined));
}
