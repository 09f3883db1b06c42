/** A delete button that asks for confirmation in the same place. */
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';

import { useApi, problemOf } from './pagesApi';

export interface DeleteInPlaceProps {
  streamId: string;
  /** The name of what is deleted, for screen readers. */
  name: string;
  /** Called after the deletion. */
  onGone(): void;
  className?: string;
  /** The label of the first button. */
  children: ReactNode;
}

export function DeleteInPlace({ streamId, name, onGone, className = 'button', children }: DeleteInPlaceProps) {
  const api = useApi();
  const [step, setStep] = useState<'idle' | 'asking' | 'deleting'>('idle');
  const [problem, setProblem] = useState<string>();
  const opener = useRef<HTMLButtonElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);

  useEffect(() => {
    // The pressed button disappears, so focus the harmless one, and later the first one again.
    if (step === 'asking') keep.current?.focus();
    if (step === 'idle' && wasAsking.current) opener.current?.focus();
    wasAsking.current = step !== 'idle';
  }, [step]);

  const remove = async () => {
    setStep('deleting');
    setProblem(undefined);
    try {
      await api.remove(streamId);
      onGone();
    } catch (reason) {
      setProblem(problemOf(reason).message);
      setStep('asking');
    }
  };

  const onEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    setStep('idle');
  };

  if (step === 'idle') {
    return (
      <button
        ref={opener}
        type="button"
        className={className}
        aria-label={`Delete “${name}”`}
        title="Delete"
        onClick={() => setStep('asking')}
      >
        {children}
      </button>
    );
  }
  return (
    <fieldset className="page-confirm" aria-label={`Delete “${name}”?`}>
      <span role={problem ? 'alert' : undefined}>{problem ?? 'Delete for good?'}</span>
      <button
        type="button"
        className="button button-strong"
        disabled={step === 'deleting'}
        onClick={() => void remove()}
        onKeyDown={onEscape}
      >
        Delete
      </button>
      <button
        ref={keep}
        type="button"
        className="button"
        disabled={step === 'deleting'}
        onClick={() => setStep('idle')}
        onKeyDown={onEscape}
      >
        Keep
      </button>
    </fieldset>
  );
}
