import { useCallback, useEffect, useEffectEvent, useRef } from 'react';

/**
 * Tells once of each stream that was asked for here.
 *
 * @returns to be called before asking; a stream that is only watched is never told of.
 */
export function useStarted(
  streamId: string | undefined,
  onStarted: (streamId: string) => void,
): () => void {
  const isExpected = useRef(false);
  const before = useRef<string>(undefined);
  const shown = useRef<string>(undefined);
  const tell = useEffectEvent(onStarted);
  useEffect(() => {
    shown.current = streamId;
    if (streamId === undefined || !isExpected.current || streamId === before.current) return;
    isExpected.current = false;
    tell(streamId);
  }, [streamId]);
  return useCallback(() => {
    isExpected.current = true;
    before.current = shown.current;
  }, []);
}
