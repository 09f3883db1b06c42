import { createContext, useContext } from 'react';

/** Says a few words to a screen reader, in the block's one live region. */
export type Announce = (words: string) => void;

export const AnnounceContext = createContext<Announce>(() => undefined);

export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}
