/** A delete button that asks for confirmation in the same place. */
import { type ReactNode, useEffect, useRef, useState } from 'react';

import { DeleteConfirm } from './DeleteConfirm';

export interface DeleteInPlaceProps {
  streamId: string;
  /** The name of what is deleted, for screen readers. */
  name: string;
  /** Called after the deletion. */
  onGone(): void;
  className?: string;
  /** The label of the button. */
  children: ReactNode;
}

export function DeleteInPlace({ streamId, name, onGone, className = 'button', children }: DeleteInPlaceProps) {
  const [isAsking, setAsking] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  useEffect(() => {
    if (!isAsking && wasAsking.current) opener.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (isAsking) {
    return (
      <DeleteConfirm
        streamIds={[streamId]}
        name={name}
        onCancel={() => setAsking(false)}
        onGone={onGone}
      />
    );
  }
  return (
    <button
      ref={opener}
      type="button"
      className={className}
      aria-label={`Delete “${name}”`}
      title="Delete"
      onClick={() => setAsking(true)}
    >
      {children}
    </button>
  );
}
