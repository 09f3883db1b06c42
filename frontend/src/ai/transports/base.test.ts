// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import type { LineSink } from './base';
import { guardedLine } from './base';

const LOST = { kind: 'lost', wasOpen: true } as const;

function opened() {
  const sink = { onEvent: vi.fn(), onAlive: vi.fn(), onTurn: vi.fn(), onEnd: vi.fn() };
  const close = vi.fn();
  let transport: LineSink | undefined;
  const line = guardedLine(sink, (guarded) => {
    transport = guarded;
    return { close };
  });
  const say = () => {
    transport?.onEvent({ type: 'reconnect', retry_ms: 0 });
    transport?.onAlive();
    transport?.onEnd(LOST);
  };
  return { sink, line, close, say };
}

describe('a guarded line', () => {
  it('passes on what its transport reports, up to its end', () => {
    const { sink, say } = opened();
    say();
    say();
    expect(sink.onEvent).toHaveBeenCalledOnce();
    expect(sink.onAlive).toHaveBeenCalledOnce();
    expect(sink.onEnd).toHaveBeenCalledExactlyOnceWith(LOST);
  });

  it('passes on nothing after it was closed, even while it is being closed', () => {
    const { sink, line, close, say } = opened();
    close.mockImplementation(say);
    line.close(true);
    say();
    expect(close).toHaveBeenCalledExactlyOnceWith(true);
    expect([sink.onEvent, sink.onAlive, sink.onEnd].flatMap((each) => each.mock.calls)).toEqual([]);
  });
});
