/** What the whole page knows about the server. */
import { createContext, useContext } from 'react';
import type { BlockInfo, Config } from '../ai';

export interface Site {
  /** Undefined until `/api/config` has answered. */
  config: Config | undefined;
  /** Undefined until `/api/blocks` has answered. */
  blocks: readonly BlockInfo[] | undefined;
}

/** Provided by the pages. Without them, blocks assume that streaming is on. */
export const SiteContext = createContext<Site>({ config: undefined, blocks: undefined });

/** Reloads `Site` from the server. Provided by the pages. */
export const RefreshSiteContext = createContext<() => void>(() => undefined);

export function useSite(): Site {
  return useContext(SiteContext);
}
