/** The menu of actions for an answer as a whole. */
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { forgetAnswers, Menu, type ShownAnswer, useAnnounce } from '../blocks';
import { DeleteConfirm } from './DeleteConfirm';

export function StreamMenu({ streamIds, isRunning }: ShownAnswer) {
  const [, navigate] = useLocation();
  const announce = useAnnounce();
  const [isAsking, setAsking] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const wasAsking = useRef(false);
  useEffect(() => {
    if (!isAsking && wasAsking.current) box.current?.querySelector('button')?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (isAsking) {
    return (
      <DeleteConfirm
        streamIds={streamIds}
        name="this answer"
        isRunning={isRunning}
        onCancel={() => setAsking(false)}
        onGone={() => {
          streamIds.forEach(forgetAnswers);
          announce('Deleted');
          navigate('/history', { replace: true });
        }}
      />
    );
  }
  const words = isRunning ? 'Stop and delete…' : 'Delete…';
  return (
    <span ref={box}>
      <Menu label="⋯" name="More" items={[{ words, act: () => setAsking(true) }]} />
    </span>
  );
}
