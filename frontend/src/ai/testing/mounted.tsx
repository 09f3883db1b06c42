/** Mounts a hook on a scripted server. */
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach } from 'vitest';

import type { StreamClient } from '../streamClient';
import { useAIStreaming } from '../streamHooks';
import type { AIStream, UseAIStreamingOptions } from '../types';
import type { ScriptedLine } from './scriptedLines';
import { pass } from './scriptedLines';
import type { Stage } from './stage';
import { setStage } from './stage';

/** Call it at the top of a test file. */
export function hookStage() {
  const stage: Stage = setStage();
  let client: StreamClient;
  beforeEach(() => {
    sessionStorage.clear();
    client = stage.client({ transport: 'sse' });
  });
  // This runs before the stage checks for leftovers, because hooks run in reverse order.
  afterEach(async () => {
    cleanup();
    await pass(0);
  });
  return {
    stage,
    get client() {
      return client;
    },
    /** `renders` holds the value of every render. */
    mounted(options: UseAIStreamingOptions = {}) {
      const renders: AIStream[] = [];
      const hook = renderHook(
        (props: UseAIStreamingOptions) => {
          const stream = useAIStreaming({ client, ...props });
          renders.push(stream);
          return stream;
        },
        { initialProps: options },
      );
      return { ...hook, renders, now: () => hook.result.current };
    },
    line: (): Promise<ScriptedLine> => act(() => stage.server.line()),
  };
}

export const send = (to: ScriptedLine, ...events: Parameters<ScriptedLine['send']>) =>
  act(() => to.send(...events));
export const wait = (ms: number) => act(() => pass(ms));
