/** What the whole page knows of the server. */
import { createContext, useContext } from 'react';
import type { BlockInfo, Config } from '../ai';

export interface Site {
  /** Undefined until `/api/config` has answered. */
  config: Config | undefined;
  /** Undefined until `/api/blocks` has answered. */
  blocks: readonly BlockInfo[] | undefined;
}

/** The pages give it; without them a block takes streaming to be on. */
export const SiteContext = createContext<Site>({ config: undefined, blocks: undefined });

/** Asks the server anew for what is in `Site`; the pages give it. */
export const RefreshSiteContext = createContext<() => void>(() => undefined);

export function useSite(): Site {
  return useContext(SiteContext);
}
