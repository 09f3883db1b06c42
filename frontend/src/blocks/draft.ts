/** What the user has typed and no stream has taken yet, stored on the device. */
import { useCallback, useState } from 'react';
import type { StreamInput } from '../ai';
import type { OptionValues } from './options';

export interface Draft {
  prompt: string;
  options: OptionValues;
  /** The slug of the chosen block, where there is a choice. */
  kind?: string;
}

export interface DraftHandle extends Draft {
  setPrompt(prompt: string): void;
  setOptions(options: OptionValues): void;
  setKind(kind: string): void;
}

/** The key of the composer with a choice of blocks. */
export const HOME = 'home';

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
    kind: draft.kind,
    setPrompt: useCallback((prompt) => change({ prompt }), [change]),
    setOptions: useCallback((options) => change({ options }), [change]),
    setKind: useCallback((kind) => change({ kind }), [change]),
  };
}

/** The options that were last set in a composer. */
export function readOptions(key: string): OptionValues {
  return readDraft(key).options;
}

export function writeOptions(key: string, options: OptionValues): void {
  writeDraft(key, { ...readDraft(key), options });
}

/**
 * Keeps a question until a stream has taken it: the block's composer offers it again. What is typed
 * there already stays. Nobody typed the prompt of a sample or of a continuation.
 */
export function keepQuestion(slug: string, { prompt, sample, continues }: StreamInput): void {
  if ((sample ?? continues) !== undefined) return;
  const draft = readDraft(slug);
  if (draft.prompt.trim() === '') writeDraft(slug, { ...draft, prompt });
}

/** Forgets a question that a stream has taken, wherever it was typed. Options are kept. */
export function forgetQuestion(slug: string, prompt: string): void {
  for (const key of [slug, HOME]) {
    const draft = readDraft(key);
    if (draft.prompt.trim() === prompt.trim()) writeDraft(key, { ...draft, prompt: '' });
  }
}

/** Drafts that the browser does not store last as long as the page. */
const unstored = new Map<string, string>();

function nameOf(key: string): string {
  return `liveai.draft.${key}`;
}

function readDraft(key: string): Draft {
  try {
    const kept: unknown = JSON.parse(unstored.get(key) ?? localStorage.getItem(nameOf(key)) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return EMPTY;
    const { prompt, options, kind } = kept as Partial<Draft>;
    return {
      prompt: typeof prompt === 'string' ? prompt : '',
      options: typeof options === 'object' && options !== null ? options : {},
      kind: typeof kind === 'string' ? kind : undefined,
    };
  } catch {
    return EMPTY; // storage is blocked, or holds something else
  }
}

function writeDraft(key: string, { prompt, options, kind }: Draft): void {
  const isEmpty = prompt === '' && kind === undefined && Object.keys(options).length === 0;
  const text = JSON.stringify({ prompt, options, kind });
  try {
    if (isEmpty) localStorage.removeItem(nameOf(key));
    else localStorage.setItem(nameOf(key), text);
    unstored.delete(key);
  } catch {
    unstored.set(key, text); // storage is full or blocked
  }
}

function defined(initial: Partial<Draft> = {}): Partial<Draft> {
  return Object.fromEntries(Object.entries(initial).filter(([, value]) => value !== undefined));
}
