/**
 * Replaces every block in the tests of the pages. Shows its props, and has buttons that call its
 * callbacks.
 */
import { useState } from 'react';

import type { BlockProps } from '../blocks';

let mounts = 0;

export function StubBlock({ block, stream, earlier = [], initialAsk, onStarted, onAskElse, link, menu }: BlockProps) {
  const [mount] = useState(() => ++mounts);
  const [isComposing, setComposing] = useState(!stream && !initialAsk);
  const [streamId, setStreamId] = useState(stream?.stream_id);
  const streamIds = [...earlier.map((each) => each.stream_id), ...(streamId === undefined ? [] : [streamId])];
  return (
    <div data-testid="block" data-mount={mount} data-output={block.output}>
      <h1 tabIndex={-1}>{isComposing ? block.title : (stream?.prompt ?? initialAsk?.prompt ?? 'Typed here')}</h1>
      {earlier.map((each) => (
        <p key={each.stream_id}>{each.text}</p>
      ))}
      {stream && <p>{stream.text}</p>}
      {streamId !== undefined && <output>{link?.(streamId)}</output>}
      {streamIds.length > 0 && menu?.({ streamIds, isRunning: stream?.status === 'running' })}
      {initialAsk && <p>asks {JSON.stringify(initialAsk)}</p>}
      <button
        type="button"
        onClick={() => {
          setComposing(false);
          setStreamId('started-here');
          onStarted?.('started-here');
        }}
      >
        start
      </button>
      <button
        type="button"
        onClick={() => {
          setComposing(true);
          onAskElse?.();
        }}
      >
        ask else
      </button>
    </div>
  );
}
