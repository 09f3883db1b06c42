/** What `<ai-block>` says about an answer's progress, also to screen readers. */
import type { StreamHandle } from '../ai/types';

export function wordsOf(handle: StreamHandle): string {
  switch (handle.status) {
    case 'submitted':
      return handle.state.queuePlace === null ? 'Waiting for the answer…' : `Waiting: place ${handle.state.queuePlace} in line.`;
    case 'streaming':
      return handle.isStopping ? 'Stopping…' : 'Writing…';
    case 'reconnecting':
      return 'Connection lost. Reconnecting…';
    case 'error':
      return '';
    case 'ready':
      if (handle.isCancelledUnseen || handle.state.terminal?.type === 'cancelled') return 'Stopped.';
      return handle.state.terminal ? 'Finished.' : '';
  }
}
