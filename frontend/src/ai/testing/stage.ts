/**
 * Provides a scripted server and a client per test, and checks that nothing is left running
 * afterwards.
 */
import { afterEach, beforeEach, expect, vi } from 'vitest';

import type { StreamClient } from '../streamClient';
import type { StreamClientOptions, StreamHandle, StreamHandlers, StreamRequest, TransportName } from '../types';
import { recorder, ScriptedServer } from './scriptedServer';
import { pass } from './scriptedLines';

export const QUESTION = { blockType: 'ask-question', prompt: 'Why is the sky blue?' };
export const TRANSPORTS = ['sse', 'websocket'] as const;

export interface Stage {
  readonly server: ScriptedServer;
  client(options?: StreamClientOptions): StreamClient;
  /** Starts a stream over a transport. `log` records what the handlers received. */
  ask(options?: AskOptions): { handle: StreamHandle; log: string[]; client: StreamClient };
  /** Registers a handle to be disconnected after the test. */
  keep(handle: StreamHandle): StreamHandle;
}
export interface AskOptions extends StreamClientOptions {
  transport?: TransportName | 'auto';
  request?: Partial<StreamRequest>;
  handlers?: StreamHandlers;
}

/** Call it at the top of a test file. */
export function setStage(): Stage {
  let server: ScriptedServer;
  let handles: StreamHandle[];
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    server = new ScriptedServer();
    handles = [];
  });
  afterEach(async () => {
    for (const handle of handles) handle.disconnect();
    await pass(10_100); // an idle socket stays open for ten seconds
    const left = {
      timers: vi.getTimerCount(),
      wakers: server.wakerCount,
      sockets: server.openSocketCount,
    };
    vi.useRealTimers();
    expect(left).toEqual({ timers: 0, wakers: 0, sockets: 0 });
  });
  const keep = (handle: StreamHandle) => {
    handles.push(handle);
    return handle;
  };
  return {
    get server() {
      return server;
    },
    client: (options) => server.client(options),
    keep,
    ask: ({ request, handlers, ...options } = {}) => {
      const client = server.client({ transport: 'sse', ...options });
      const recorded = recorder();
      const handle = client.start({ ...QUESTION, ...request }, { ...recorded.handlers, ...handlers });
      return { handle: keep(handle), log: recorded.log, client };
    },
  };
}
