/** A start that was refused for now: what is said, what is counted, and what a screen reader hears. */
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { BlockShell } from './BlockShell';
import { aBlock, aLiveStream, aStream } from './shellFixtures';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  vi.useFakeTimers({ now: new Date(2026, 0, 1, 14).getTime() });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const INPUT = { blockType: 'ask-question', prompt: 'Why?' };
const refused = (code: string, ms: number | null, message = 'No more today.') =>
  aStream({
    input: INPUT,
    prompt: 'Why?',
    status: 'error',
    finishReason: 'error',
    error: { code, message, isRetryable: true },
    retryAt: ms === null ? null : Date.now() + ms,
  });

function Shell({ stream }: { stream: ReturnType<typeof aStream> }) {
  return (
    <BlockShell block={aBlock()} stream={stream}>
      <p>{stream.text}</p>
    </BlockShell>
  );
}

const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));
const button = () => screen.getByRole('button', { name: /^Try/u });
const alert = () => screen.getByRole('alert');
const status = () => screen.getByRole('status').textContent?.trim();
/** What a screen reader finds in an element. */
function heard(element: HTMLElement): string {
  const copy = element.cloneNode(true) as HTMLElement;
  for (const hidden of copy.querySelectorAll('[aria-hidden=true]')) hidden.remove();
  return copy.textContent ?? '';
}

test.each(['rate_limited', 'quota_exceeded'])('%s counts down on a button that does nothing until then', (code) => {
  const stream = refused(code, 91_000);
  render(<Shell stream={stream} />);
  expect([button().textContent, button().getAttribute('aria-disabled')]).toEqual(['Try again in 2 minutes', 'true']);
  pass(67_000);
  expect(button().textContent).toBe('Try again in 24 s');
  button().focus();
  fireEvent.click(button());
  expect(stream.resume).not.toHaveBeenCalled();
  pass(24_250);
  expect([button().textContent, button().getAttribute('aria-disabled')]).toEqual(['Try again', 'false']);
  expect(document.activeElement).toBe(button());
  fireEvent.click(button());
  expect(stream.resume).toHaveBeenCalledOnce();
});

test('a screen reader hears the time once, and then that the time has come', () => {
  render(<Shell stream={refused('rate_limited', 24_000, 'You started 30 answers within a minute. Please wait 24 seconds.')} />);
  const first = heard(alert());
  expect(first).toBe(
    'You started 30 answers within a minute. Your question is kept. You can try again in 24 seconds. rate_limited',
  );
  for (let second = 0; second < 23; second += 1) {
    pass(1000);
    expect([heard(alert()), status()]).toEqual([first, '']);
  }
  pass(1250);
  expect(status()).toBe('You can try again now');
  expect(heard(alert())).not.toContain('24 seconds');
});

test.each(['too_many_streams', 'over_capacity'])('%s is a guess: it is counted in the note, and the button works', (code) => {
  const stream = refused(code, 40_000);
  render(<Shell stream={stream} />);
  const first = heard(alert());
  expect(first).toContain('A place may be free in 40 seconds.');
  pass(10_000);
  expect(alert().textContent).toContain('A place may be free in 30 s.');
  expect(heard(alert())).toBe(first);
  expect(button().textContent).toBe('Try again');
  fireEvent.click(button());
  expect(stream.resume).toHaveBeenCalledOnce();
  pass(30_250);
  expect(alert().textContent).toContain('A place may be free now.');
});

test('a long wait is told by the clock', () => {
  render(<Shell stream={refused('quota_exceeded', 19 * 3_600_000)} />);
  expect(button().textContent).toBe('Try again tomorrow at 9:00');
  expect(alert().textContent).toContain('No more today. Your question is kept.');
});

test('a further refusal is counted from its own time', () => {
  const { rerender } = render(<Shell stream={refused('rate_limited', 40_000)} />);
  pass(10_000);
  rerender(<Shell stream={refused('rate_limited', 60_000)} />);
  expect(button().textContent).toBe('Try again in 60 s');
  expect(heard(alert())).toContain('in 60 seconds');
});

test('a refusal without a time counts nothing', () => {
  render(<Shell stream={refused('rate_limited', null)} />);
  expect([button().textContent, button().getAttribute('aria-disabled')]).toEqual(['Try again', null]);
  expect(alert().textContent).not.toContain('can try');
});

test('a client that waits by itself offers no try that the server would refuse', () => {
  const lineProblem = { code: 'rate_limited', message: 'Too fast. Please wait 24 seconds.', isRetryable: true };
  const waits = { status: 'reconnecting', nextTryAt: Date.now() + 24_000, streamId: undefined, text: '' } as const;
  const { rerender } = render(<Shell stream={aLiveStream({ ...waits, lineProblem })} />);
  expect(document.querySelector('.note')?.textContent).toBe('Too fast. Your question is kept; trying again in 24 s.');
  expect(screen.queryByRole('button', { name: 'Try now' })).toBeNull();
  rerender(<Shell stream={aLiveStream({ ...waits, lineProblem: { ...lineProblem, code: 'over_capacity' } })} />);
  expect(screen.queryByRole('button', { name: 'Try now' })).not.toBeNull();
});
