/**
 * Replaces every block in the tests of the pages. Shows its props, and has buttons that call its
 * callbacks.
 */
import { useState } from 'react';

import type { BlockProps } from '../blocks';

let mounts = 0;

export function StubBlock({ block, stream, initialAsk, onStarted, onAskElse }: BlockProps) {
  const [mount] = useState(() => ++mounts);
  const [isComposing, setComposing] = useState(!stream && !initialAsk);
  return (
    <div data-testid="block" data-mount={mount} data-output={block.output}>
      <h1 tabIndex={-1}>{isComposing ? block.title : (stream?.prompt ?? initialAsk?.prompt ?? 'Typed here')}</h1>
      {stream && <p>{stream.text}</p>}
      {initialAsk && <p>asks {JSON.stringify(initialAsk)}</p>}
      <button
        type="button"
        onClick={() => {
          setComposing(false);
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
