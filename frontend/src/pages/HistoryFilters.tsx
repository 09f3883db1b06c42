/** The search field and the filters of the history. */
import { useEffect, useRef, useState } from 'react';

import type { BlockInfo, HistoryFilter } from '@liveai/client';
import { SearchIcon } from '../look/icons';

/** The search starts after this pause in typing, in ms. */
export const PAUSE_MS = 300;

/** The server rejects longer queries. */
export const SEARCH_MAX_CHARS = 100;

const STATUSES: readonly [string, string][] = [
  ['', 'All'],
  ['complete', 'Finished'],
  ['cancelled', 'Stopped'],
  ['error', 'Failed'],
  ['running', 'In progress'],
];

export interface HistoryFiltersProps {
  filter: HistoryFilter;
  blocks: readonly BlockInfo[];
  /** Returns the same function on every render. @param name - `q`, `kind` or `status`. */
  onChange(name: string, value: string): void;
}

export function HistoryFilters({ filter, blocks, onChange }: HistoryFiltersProps) {
  const [words, setWords] = useState(filter.q ?? '');
  const isTyped = useRef(false);

  useEffect(() => {
    if (!isTyped.current) return;
    const timer = setTimeout(() => {
      isTyped.current = false;
      onChange('q', words.trim());
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words, onChange]);
  useEffect(() => {
    // "Clear filters" and Back change the field too, but never while the user is typing.
    if (!isTyped.current) setWords(filter.q ?? '');
  }, [filter.q]);

  return (
    <form
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- jsdom, and therefore React's check in tests, does not know <search>
      role="search"
      className="history-filters"
      onSubmit={(event) => {
        event.preventDefault();
        isTyped.current = false;
        onChange('q', words.trim());
      }}
    >
      <label className="history-search">
        <SearchIcon size={18} />
        <span className="visually-hidden">Search questions and answers</span>
        <input
          type="search"
          dir="auto"
          placeholder="Search questions and answers"
          value={words}
          maxLength={SEARCH_MAX_CHARS}
          onChange={(event) => {
            isTyped.current = true;
            setWords(event.target.value);
          }}
        />
      </label>
      <label className="history-limit">
        Type
        <select value={filter.blockType ?? ''} onChange={(event) => onChange('kind', event.target.value)}>
          <option value="">All</option>
          {blocks.map((block) => (
            <option key={block.slug} value={block.slug}>
              {block.title}
            </option>
          ))}
        </select>
      </label>
      <label className="history-limit">
        Status
        <select value={filter.status ?? ''} onChange={(event) => onChange('status', event.target.value)}>
          {STATUSES.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}
