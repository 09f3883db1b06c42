/**
 * The server's configuration and block types: loaded once, and refreshed while the page is visible.
 */
import { useCallback, useEffect, useRef, useState } from 'react';

import type { BlockInfo, Config, StreamProblem } from '@liveai/client';
import type { Connection } from '../blocks';
import { type PagesApi, problemOf } from './pagesApi';

const REFRESH_MS = 30_000;

export interface SiteData {
  config: Config;
  blocks: readonly BlockInfo[];
}

export type SiteState =
  | { is: 'loading' }
  | { is: 'failed'; problem: StreamProblem }
  | { is: 'ready'; data: SiteData };

/**
 * @param connection - when the server answers again, the data is loaded anew.
 * @returns the state, a function that retries after a failure, and one that refreshes. A failed
 *   refresh keeps the state.
 */
export function useSiteData(api: PagesApi, connection: Connection): [SiteState, () => void, () => void] {
  const [state, setState] = useState<SiteState>({ is: 'loading' });
  const load = useCallback(() => {
    // The configuration comes first: it sets the session for the other calls.
    api
      .config()
      .then(async (config) => ({ config, blocks: await api.blocks() }))
      .then(
        (data) => setState((before) => changed(before, data)),
        (reason: unknown) =>
          setState((before) => (before.is === 'ready' ? before : { is: 'failed', problem: problemOf(reason) })),
      );
  }, [api]);

  useEffect(() => {
    const refresh = () => {
      if (document.visibilityState === 'visible') load();
    };
    load();
    const timer = setInterval(refresh, REFRESH_MS);
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, [load]);

  const before = useRef(connection);
  useEffect(() => {
    if (connection === 'up' && before.current !== 'up') load();
    before.current = connection;
  }, [connection, load]);

  const again = useCallback(() => {
    setState({ is: 'loading' });
    load();
  }, [load]);
  return [state, again, load];
}

/** Returns the previous state if nothing changed: a refresh must not render an answer again. */
function changed(before: SiteState, data: SiteData): SiteState {
  if (before.is !== 'ready') return { is: 'ready', data };
  const config = same(before.data.config, data.config) ? before.data.config : data.config;
  const blocks = same(before.data.blocks, data.blocks) ? before.data.blocks : data.blocks;
  const isSame = config === before.data.config && blocks === before.data.blocks;
  return isSame ? before : { is: 'ready', data: { config, blocks } };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
