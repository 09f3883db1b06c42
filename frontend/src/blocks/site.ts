/** What the whole page knows about the server. */
import { createContext, useContext } from 'react';
import type { BlockInfo, Config } from '@liveai/client';

/** `offline`: the browser has no network. `down`: the server does not answer. */
export type Connection = 'up' | 'offline' | 'down';

export interface Site {
  /** Undefined until `/api/config` has answered. */
  config: Config | undefined;
  /** Undefined until `/api/blocks` has answered. */
  blocks: readonly BlockInfo[] | undefined;
  connection?: Connection;
  /** Where to sign in and return to the current address; undefined if that is impossible. */
  signInUrl?(): string | undefined;
  /** The same for signing up; undefined also where visitors need an invitation. */
  signUpUrl?(): string | undefined;
  /** Whether nobody is signed in, and only people with an account may ask. */
  mustSignIn?: boolean;
}

/** Provided by the pages. Without them, blocks assume that streaming is on. */
export const SiteContext = createContext<Site>({ config: undefined, blocks: undefined });

/** Asks whether the server answers, and updates `Site.connection`. Provided by the pages. */
export const CheckConnectionContext = createContext<() => void>(() => undefined);

/** Reloads `Site` from the server. Provided by the pages. */
export const RefreshSiteContext = createContext<() => void>(() => undefined);

export function useSite(): Site {
  return useContext(SiteContext);
}
