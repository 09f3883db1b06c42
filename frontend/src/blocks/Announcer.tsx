/** A live region for screen readers. Everything inside it may speak there through `useAnnounce`. */
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { AnnounceContext } from './announce';

/** The region is emptied after this time, so that the same words can be announced again. */
const CLEAR_AFTER_MS = 3_000;

export interface AnnouncerProps {
  /** Words that stay in the region until they change, such as the state of an answer. */
  words?: string;
  children: ReactNode;
}

export function Announcer({ words, children }: AnnouncerProps) {
  const [said, setSaid] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const announce = useCallback((next: string) => {
    clearTimeout(timer.current);
    setSaid(next);
    timer.current = setTimeout(() => setSaid(''), CLEAR_AFTER_MS);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <AnnounceContext value={announce}>
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- <output> is for the result of a form */}
      <div role="status" aria-atomic="false" className="visually-hidden">
        {words !== undefined && (
          <>
            <span>{words}</span>{' '}
          </>
        )}
        <span>{said}</span>
      </div>
      {children}
    </AnnounceContext>
  );
}
