/** Asks whether to delete an answer, and deletes it. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';

import { type PagesApi, problemOf, useApi } from './pagesApi';

export interface DeleteConfirmProps {
  /** The streams that wrote the answer, the oldest first. All are deleted. */
  streamIds: readonly string[];
  /** The name of what is deleted, for screen readers. */
  name: string;
  /** A running answer is stopped first. */
  isRunning?: boolean;
  onCancel(): void;
  /** Called after the deletion. */
  onGone(): void;
}

export function DeleteConfirm({ streamIds, name, isRunning = false, onCancel, onGone }: DeleteConfirmProps) {
  const api = useApi();
  const [isDeleting, setDeleting] = useState(false);
  const [problem, setProblem] = useState<string>();
  const cancel = useRef<HTMLButtonElement>(null);
  // The pressed button has disappeared, so focus the harmless one; also after a failure.
  useEffect(() => {
    if (!isDeleting) cancel.current?.focus();
  }, [isDeleting]);

  const verb = isRunning ? 'Stop and delete' : 'Delete';
  const remove = async () => {
    setDeleting(true);
    setProblem(undefined);
    try {
      // The newest first: an answer whose beginning is gone could not be continued.
      for (const streamId of streamIds.toReversed()) await removeStream(api, streamId, isRunning);
      onGone();
    } catch (reason) {
      setProblem(problemOf(reason).message);
      setDeleting(false);
    }
  };
  const onEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    onCancel();
  };
  return (
    <fieldset className="page-confirm" aria-label={`${verb} “${name}”?`}>
      <span role={problem ? 'alert' : undefined}>{problem ?? (isRunning ? 'Stop and delete for good?' : 'Delete for good?')}</span>
      <button type="button" className="button button-strong" disabled={isDeleting} onClick={() => void remove()} onKeyDown={onEscape}>
        {verb}
      </button>
      <button ref={cancel} type="button" className="button" disabled={isDeleting} onClick={onCancel} onKeyDown={onEscape}>
        Cancel
      </button>
    </fieldset>
  );
}

async function removeStream(api: PagesApi, streamId: string, isRunning: boolean): Promise<void> {
  try {
    if (isRunning) await api.cancel(streamId);
    await api.remove(streamId);
  } catch (reason) {
    // Another tab has deleted it, or an earlier attempt here.
    if (problemOf(reason).code !== 'not_found') throw reason;
  }
}
