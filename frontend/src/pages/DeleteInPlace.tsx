/** Delete, asked for once more in its own place. */
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';

import { useApi, problemOf } from './pagesApi';

export interface DeleteInPlaceProps {
  streamId: string;
  /** What it is called, for those who hear the button alone. */
  name: string;
  /** It is gone. */
  onGone(): void;
  className?: string;
  /** What the first button shows. */
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
    // The button that was pressed is gone: the focus goes to the harmless one, and back again.
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
