/** The server's settings and block types: loaded once, and kept true while the page is looked at. */
import { useCallback, useEffect, useState } from 'react';

import type { BlockInfo, Config, StreamProblem } from '../ai';
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
 * @returns the state, what tries again after a failure, and what asks anew in between. A refresh
 *   that fails changes nothing: what was known is still the best there is.
 */
export function useSiteData(api: PagesApi): [SiteState, () => void, () => void] {
  const [state, setState] = useState<SiteState>({ is: 'loading' });
  const load = useCallback(() => {
    // The config first: it sets the session that the others are answered under.
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

  const again = useCallback(() => {
    setState({ is: 'loading' });
    load();
  }, [load]);
  return [state, again, load];
}

/** The state before, where nothing changed: a refresh must not draw an answer anew. */
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
