import { createContext, useContext } from 'react';

/** Speaks a few words to a screen reader, in the live region of the nearest `Announcer`. */
export type Announce = (words: string) => void;

export const AnnounceContext = createContext<Announce>(() => undefined);

export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}
