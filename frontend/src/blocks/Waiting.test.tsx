import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import type { Thinking } from '@liveai/client';
import { BlockShell } from './BlockShell';
import { aBlock, aLiveStream, anEndedStream } from './shellFixtures';
import { SiteContext } from './site';

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const after = (sinceMs: number): Thinking => ({ isThinking: true, sinceMs });
const waiting = (thinking: Thinking) => aLiveStream({ text: '', status: 'submitted', thinking });

function Shell({ stream = aLiveStream() }) {
  return (
    <BlockShell block={aBlock()} stream={stream}>
      <p>{stream.text}</p>
    </BlockShell>
  );
}

const answer = () => document.querySelector('.answer')?.textContent;
const facts = () => document.querySelector('.facts')?.textContent;
const status = () => screen.getByRole('status').textContent?.trim();

test('while the model thinks, the waiting place says so and for how long', () => {
  vi.useFakeTimers();
  const { rerender } = render(<Shell stream={waiting(after(0))} />);
  expect(answer()).toBe('Thinking…');
  rerender(<Shell stream={waiting(after(5030))} />);
  expect(answer()).toBe('Thinking…5 s');
  act(() => vi.advanceTimersByTime(2100)); // no report meanwhile
  expect(answer()).toBe('Thinking…7 s');
  rerender(<Shell stream={waiting(after(8040))} />);
  expect(answer()).toBe('Thinking…8 s');
  expect(facts()).not.toMatch(/Th/u);
});

test('screen readers hear of it once', () => {
  const { rerender } = render(<Shell stream={aLiveStream({ text: '', status: 'submitted' })} />);
  expect(status()).toBe('Asking');
  for (const ms of [0, 1003, 2009]) {
    rerender(<Shell stream={waiting(after(ms))} />);
    expect(status()).toBe('Thinking');
  }
  rerender(<Shell stream={aLiveStream({ thinking: { isThinking: false, sinceMs: 2009 } })} />);
  expect(status()).toBe('Generating');
});

test('once it writes, the facts say how long it thought', () => {
  const thought = (sinceMs: number) => ({ thinking: { isThinking: false, sinceMs } });
  const { rerender } = render(<Shell stream={aLiveStream(thought(12_345))} />);
  expect(facts()).toContain('Thought for 12 s');
  expect(answer()).toBe('Sunlight looks white');
  rerender(<Shell stream={anEndedStream(thought(12_345))} />);
  expect(facts()).toContain('Thought for 12 s');
  rerender(<Shell stream={anEndedStream(thought(0))} />);
  expect(facts()).toContain('Thought for a moment');
  rerender(<Shell stream={anEndedStream()} />);
  expect(facts()).not.toContain('Thought');
});

test('a model that thinks again in mid-answer says so among the facts', () => {
  render(<Shell stream={aLiveStream({ thinking: after(3000) })} />);
  expect(facts()).toContain('Thinking… 3 s');
  expect(answer()).toBe('Sunlight looks white');
});

test('with streaming off, it says again that the answer comes whole once the thinking is over', () => {
  vi.useFakeTimers();
  const streaming = { enabled: false, backend: 'sse' as const, fallback: true, message: '' };
  const config = { streaming, limits: {}, user: null, demo_model: false };
  render(
    <SiteContext value={{ config } as never}>
      <Shell stream={waiting(after(2000))} />
    </SiteContext>,
  );
  expect(answer()).toBe('Thinking…2 s');
  act(() => vi.advanceTimersByTime(5100));
  expect(answer()).toContain('the answer appears when it is finished');
});

test('until the server has the question, the model is not said to read it, or to be slow', () => {
  vi.useFakeTimers();
  const unsent = aLiveStream({ text: '', status: 'submitted', streamId: undefined });
  const { rerender } = render(<Shell stream={unsent} />);
  act(() => vi.advanceTimersByTime(4_100));
  expect(answer()).toBe('Waiting for the server…4 s');
  act(() => vi.advanceTimersByTime(20_000));
  expect(answer()).toBe('Waiting for the server…24 s');
  rerender(<Shell stream={aLiveStream({ text: '', status: 'submitted' })} />);
  expect(answer()).toMatch(/^Reading the question…24 s.*slow to start/u);
});
