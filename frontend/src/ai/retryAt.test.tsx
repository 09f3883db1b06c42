/** When a refused start may be tried again. */
import { act } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { hookStage, wait } from './testing/mounted';
import { QUESTION, TRANSPORTS } from './testing/stage';

const { stage, mounted } = hookStage();

describe.each(TRANSPORTS)('a refusal over %s', (transport) => {
  it.each([
    [429, 'rate_limited'],
    [429, 'too_many_streams'],
    [429, 'quota_exceeded'],
    [503, 'over_capacity'],
  ])('%d %s tells when the server allows another try', async (status, code) => {
    const { handle } = stage.ask({ transport });
    const now = Date.now();
    await (await stage.server.line()).refuse(status, code, { retryAfterMs: 40_000 });
    expect([handle.status, handle.problem?.code, handle.retryAt]).toEqual(['error', code, now + 40_000]);
  });

  it('without a time tells none', async () => {
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).refuse(404, 'unknown_block');
    expect([handle.status, handle.retryAt]).toEqual(['error', null]);
  });
});

describe('useAIStreaming', () => {
  it('returns retryAt with the error, and forgets it with it', async () => {
    const { now } = mounted();
    expect(now().retryAt).toBeNull();
    act(() => void now().submit(QUESTION));
    const line = await act(() => stage.server.line());
    await act(() => line.refuse(429, 'quota_exceeded', { retryAfterMs: 3_600_000 }));
    expect(now().retryAt).toBe(Date.now() + 3_600_000);
    await wait(1000);
    act(() => now().clearError());
    expect([now().error, now().retryAt]).toEqual([undefined, null]);
    act(() => void now().resume());
    await act(() => stage.server.line());
    expect(now().retryAt).toBeNull();
  });

  it('has nextTryAt instead while the client waits by itself', async () => {
    const { now } = mounted();
    act(() => void now().submit(QUESTION));
    const line = await act(() => stage.server.line());
    await act(() => line.refuse(429, 'rate_limited', { retryAfterMs: 24_000 }));
    expect(now()).toMatchObject({ status: 'reconnecting', retryAt: null, lineProblem: { code: 'rate_limited' } });
    expect(now().nextTryAt).toBeGreaterThan(Date.now() + 23_999);
  });
});
