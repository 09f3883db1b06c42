/** Says a few words to those who don't see the page, from anywhere on it outside a block. */
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';

import { AnnounceContext } from '../blocks';

/** What was said stands so long, in ms: the same words can be said again. */
const STANDS_MS = 3_000;

export function Announcements({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const announce = useCallback((words: string) => {
    clearTimeout(timer.current);
    setSaid(words);
    timer.current = setTimeout(() => setSaid(''), STANDS_MS);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <AnnounceContext value={announce}>
      {children}
      <output className="visually-hidden">{said}</output>
    </AnnounceContext>
  );
}
