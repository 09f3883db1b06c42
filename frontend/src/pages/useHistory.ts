/** A visitor's answers, page by page. Rows of running answers are kept up to date. */
import { useCallback, useEffect, useRef, useState } from 'react';

import type { HistoryFilter, StreamProblem, StreamSummary } from '@liveai/client';
import { isRunning } from './ending';
import { type PagesApi, problemOf, useApi } from './pagesApi';

/** How often running answers are polled while the page is visible, in ms. */
export const POLL_MS = 5_000;

/**
 * One call searches one piece of the history. At most this many pieces are searched without asking
 * the reader.
 */
export const EMPTY_PAGES_AT_MOST = 20;

export interface HistoryList {
  is: 'loading' | 'ready' | 'failed';
  rows: readonly StreamSummary[];
  hasMore: boolean;
  isLoadingMore: boolean;
  problem: StreamProblem | undefined;
  more(): void;
  again(): void;
  /** Removes a deleted stream from the list. */
  removed(streamId: string): void;
}

interface Loaded {
  is: HistoryList['is'];
  rows: readonly StreamSummary[];
  next: string | null;
  isLoadingMore: boolean;
  problem: StreamProblem | undefined;
}

const NOTHING: Loaded = { is: 'loading', rows: [], next: null, isLoadingMore: false, problem: undefined };

/**
 * Loads the answers that match a filter. The previous rows stay visible until the new ones arrive.
 */
export function useHistory({ q, status, blockType, limit }: HistoryFilter): HistoryList {
  const api = useApi();
  const [loaded, setLoaded] = useState<Loaded>(NOTHING);
  // Increases with each filter: responses to an earlier filter are discarded.
  const turn = useRef(0);

  const load = useCallback(() => {
    const mine = ++turn.current;
    const isWanted = () => mine === turn.current;
    nextFound(api, { q, status, blockType, limit }, isWanted).then(
      ({ results, next }) => {
        if (mine === turn.current) setLoaded({ ...NOTHING, is: 'ready', rows: results, next });
      },
      (reason: unknown) => {
        if (mine === turn.current) setLoaded({ ...NOTHING, is: 'failed', problem: problemOf(reason) });
      },
    );
  }, [api, q, status, blockType, limit]);
  useEffect(load, [load]);

  const running = loaded.rows.filter(isRunning).map((row) => row.stream_id).join(' ');
  useEffect(() => {
    if (running === '') return;
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return;
      const mine = turn.current;
      void freshRows(api, { q, status, blockType, limit }, running.split(' ')).then((fresh) => {
        if (fresh && mine === turn.current) setLoaded((now) => ({ ...now, rows: merged(now.rows, fresh) }));
      });
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [api, running, q, status, blockType, limit]);

  const more = useCallback(() => {
    const { next } = loaded;
    if (next === null || loaded.isLoadingMore) return;
    const mine = turn.current;
    setLoaded((now) => ({ ...now, isLoadingMore: true, problem: undefined }));
    const isWanted = () => mine === turn.current;
    nextFound(api, { q, status, blockType, limit, cursor: next }, isWanted).then(
      (page) => {
        if (mine !== turn.current) return;
        setLoaded((now) => ({
          ...now,
          rows: [...now.rows, ...page.results.filter((row) => !now.rows.some((held) => isSame(held, row)))],
          next: page.next,
          isLoadingMore: false,
        }));
      },
      (reason: unknown) => {
        if (mine === turn.current) setLoaded((now) => ({ ...now, isLoadingMore: false, problem: problemOf(reason) }));
      },
    );
  }, [api, loaded, q, status, blockType, limit]);

  const again = useCallback(() => {
    setLoaded(NOTHING);
    load();
  }, [load]);
  const removed = useCallback((streamId: string) => {
    setLoaded((now) => ({ ...now, rows: now.rows.filter((row) => row.stream_id !== streamId) }));
  }, []);

  const { is, rows, next, isLoadingMore, problem } = loaded;
  return { is, rows, hasMore: next !== null, isLoadingMore, problem, more, again, removed };
}

/**
 * Returns the next non-empty page. An empty page with a `next` means that the search is unfinished.
 */
async function nextFound(
  api: PagesApi,
  filter: HistoryFilter,
  isWanted: () => boolean,
): ReturnType<PagesApi['streams']> {
  let page = await api.streams(filter);
  for (let empty = 1; empty < EMPTY_PAGES_AT_MOST && isWanted(); empty += 1) {
    if (page.results.length > 0 || page.next === null) break;
    page = await api.streams({ ...filter, cursor: page.next });
  }
  return page;
}

/** Returns the newest rows, and running rows further down. Undefined if the request fails. */
async function freshRows(
  api: PagesApi,
  filter: HistoryFilter,
  running: readonly string[],
): Promise<StreamSummary[] | undefined> {
  try {
    const { results } = await api.streams(filter);
    const deeper = running.filter((id) => !results.some((row) => row.stream_id === id));
    const others = await Promise.all(deeper.map((id) => api.stream(id).catch(() => undefined)));
    return [...results, ...others.filter((row) => row !== undefined)];
  } catch {
    return undefined;
  }
}

/** Updates known rows in place, and adds new ones above them. */
function merged(rows: readonly StreamSummary[], fresh: readonly StreamSummary[]): StreamSummary[] {
  const known = rows.map((row) => fresh.find((other) => isSame(other, row)) ?? row);
  const newest = rows[0]?.created_at ?? '';
  const added = fresh.filter((row) => row.created_at > newest && !rows.some((other) => isSame(other, row)));
  return [...added, ...known];
}

function isSame(one: StreamSummary, other: StreamSummary): boolean {
  return one.stream_id === other.stream_id;
}
