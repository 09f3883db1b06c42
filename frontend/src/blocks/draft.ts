/** What the user has typed and no stream has taken yet, stored on the device. */
import { useCallback, useState } from 'react';
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

/** The key of the composer with a choice of blocks. No slug contains a slash. */
export const HOME = '/';

const EMPTY: Draft = { prompt: '', options: {} };

/**
 * A draft that survives a reload, and whatever other tabs type.
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

/** Empties the composers that hold this prompt. What another tab has typed stays; so do options. */
export function forgetPrompt(keys: readonly string[], prompt: string): void {
  const isIt = (draft: Draft | undefined) => draft?.prompt.trim() === prompt.trim();
  for (const key of keys) {
    if (isIt(unstored.get(key))) unstored.delete(key);
    for (const store of STORES) {
      const draft = draftIn(store, key);
      if (draft && isIt(draft)) keep(store, key, { ...draft, prompt: '' });
    }
  }
}

// --- storage ------------------------------------------------------------------------------------

/** A tab keeps what was typed in it. A new tab begins with what was typed last, in any tab. */
const STORES = ['sessionStorage', 'localStorage'] as const;
type Store = (typeof STORES)[number];

/** Drafts that the browser does not store last as long as the page. */
const unstored = new Map<string, Draft>();

function nameOf(key: string): string {
  return `liveai.draft.${key}`;
}

export function readDraft(key: string): Draft {
  return unstored.get(key) ?? draftIn('sessionStorage', key) ?? draftIn('localStorage', key) ?? EMPTY;
}

export function writeDraft(key: string, draft: Draft): void {
  const isKept = STORES.map((store) => keep(store, key, draft)).includes(true);
  if (isKept) unstored.delete(key);
  else unstored.set(key, draft);
}

function draftIn(store: Store, key: string): Draft | undefined {
  try {
    const kept: unknown = JSON.parse(globalThis[store].getItem(nameOf(key)) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return undefined;
    const { prompt, options, kind } = kept as Partial<Draft>;
    return {
      prompt: typeof prompt === 'string' ? prompt : '',
      options: typeof options === 'object' && options !== null ? options : {},
      kind: typeof kind === 'string' ? kind : undefined,
    };
  } catch {
    return undefined; // storage is blocked, or holds something else
  }
}

/** @returns false if storage is full or blocked. */
function keep(store: Store, key: string, { prompt, options, kind }: Draft): boolean {
  const isEmpty = prompt === '' && kind === undefined && Object.keys(options).length === 0;
  try {
    // In its own tab an empty draft counts: what another tab has typed must not replace it.
    if (isEmpty && store === 'localStorage') globalThis[store].removeItem(nameOf(key));
    else globalThis[store].setItem(nameOf(key), JSON.stringify({ prompt, options, kind }));
    return true;
  } catch {
    return false;
  }
}

function defined(initial: Partial<Draft> = {}): Partial<Draft> {
  return Object.fromEntries(Object.entries(initial).filter(([, value]) => value !== undefined));
}
