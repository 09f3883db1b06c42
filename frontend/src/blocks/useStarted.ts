import { useCallback, useEffect, useEffectEvent, useRef } from 'react';

/**
 * Reports each stream that was asked for here, once.
 *
 * @returns a function to call before asking. Streams that are only watched are not reported.
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
