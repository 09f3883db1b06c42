import { act, cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { StreamProblem } from '@liveai/client';
import { BlockShell } from './BlockShell';
import { aBlock, aLiveStream, anEndedStream, aStream } from './shellFixtures';
import { CheckConnectionContext, type Connection, type Site, SiteContext } from './site';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(cleanup);

const INPUT = { blockType: 'ask-question', prompt: 'Why?' };
const SITE: Site = { config: undefined, blocks: undefined, connection: 'up', signInUrl: () => '/login?next=/' };

interface ShellProps {
  stream: ReturnType<typeof aStream>;
  connection?: Connection;
  check?(): void;
}

function Shell({ stream, connection = 'up', check = () => undefined }: ShellProps) {
  return (
    <StrictMode>
      <SiteContext value={{ ...SITE, connection }}>
        <CheckConnectionContext value={check}>
          <BlockShell block={aBlock()} stream={stream}>
            <p>{stream.text}</p>
          </BlockShell>
        </CheckConnectionContext>
      </SiteContext>
    </StrictMode>
  );
}

const note = () => document.querySelector('.note')?.textContent ?? '';
const lost = (members = {}) => aLiveStream({ status: 'reconnecting', nextTryAt: Date.now() + 2900, ...members });
const UNSENT = { streamId: undefined, text: '', data: '' };
const FULL: StreamProblem = { code: 'over_capacity', message: 'The server is full.', isRetryable: true };
const PROXY: StreamProblem = { code: 'http_502', message: 'The server answered 502.', isRetryable: true };

describe('while there is no connection, a note says what is true', () => {
  test.each([
    ['full, nothing sent', { ...UNSENT, lineProblem: FULL }, 'up', /^The server is full\. Your question is kept; trying again in 3 s\./u],
    ['down, nothing sent', UNSENT, 'down', /^The server can’t be reached\. Your question is kept\. .* in 3 s/u],
    ['a proxy answers, nothing sent', { ...UNSENT, lineProblem: PROXY }, 'down', /^The server can’t be reached\. Your/u],
    ['up, but nothing came back', UNSENT, 'up', /^The server didn’t answer\. Your question is kept; trying again in 3 s\.$/u],
    ['a proxy in the way of a server that is up', { ...UNSENT, lineProblem: PROXY }, 'up', /^The server didn’t answer\. Your/u],
    ['full, and then offline', { ...UNSENT, lineProblem: FULL }, 'offline', /^You’re offline\. Your question is kept\. .* back online\.$/u],
    ['full, and then down', { ...UNSENT, lineProblem: FULL }, 'down', /^The server can’t be reached\. Your question is kept\. It will be sent/u],
    ['offline, nothing sent', UNSENT, 'offline', /^You’re offline\. Your question is kept\. .* back online\.$/u],
    ['full, in mid-answer', { lineProblem: FULL }, 'up', /^The server is full\. Reconnecting in 3 s\.$/u],
    ['down, in mid-answer', {}, 'down', /^Connection lost\. Reconnecting in 3 s… it will pick up where it left off\.$/u],
    ['offline, in mid-answer', {}, 'offline', /^You’re offline\. This answer will pick up where it left off/u],
  ] as const)('%s', (_, members, connection, words) => {
    render(<Shell stream={lost(members)} connection={connection} />);
    expect(note()).toMatch(words);
    // Nothing is said of an answer that does not exist.
    const isOfAnAnswer = /connection lost|left off|this answer/iu.test(note());
    expect(isOfAnAnswer && 'streamId' in members).toBe(false);
    expect(screen.getByRole('status').textContent).not.toContain('.,');
    // A screen reader hears the same.
    const [begin = ''] = note().split('.');
    expect(screen.getByRole('status').textContent).toContain(begin);
  });
});

describe('a loss and a return', () => {
  test('are reported to the page, but a server that answers is not', () => {
    const check = vi.fn();
    const { rerender } = render(<Shell stream={aLiveStream()} check={check} />);
    rerender(<Shell stream={lost({ lineProblem: FULL })} check={check} />);
    expect(check).not.toHaveBeenCalled();
    rerender(<Shell stream={lost()} check={check} />);
    expect(check).toHaveBeenCalledOnce();
    rerender(<Shell stream={aLiveStream()} check={check} />);
    expect(check).toHaveBeenCalledTimes(2);
  });

  test('end the wait for the next attempt as soon as the page knows', () => {
    const stream = lost();
    const { rerender } = render(<Shell stream={stream} connection="down" />);
    expect(stream.reconnectNow).not.toHaveBeenCalled();
    rerender(<Shell stream={stream} connection="up" />);
    expect(stream.reconnectNow).toHaveBeenCalledOnce();
  });

  test('resume an answer whose connection was given up, but send no question that was', () => {
    const error = { code: 'connection_lost', message: 'Gone.', isRetryable: true };
    const answer = anEndedStream({ isComplete: false, status: 'error', finishReason: 'error', error });
    const question = aStream({ input: INPUT, prompt: 'Why?', status: 'error', finishReason: 'error', error });
    for (const stream of [answer, question]) {
      const { rerender, unmount } = render(<Shell stream={stream} connection="offline" />);
      rerender(<Shell stream={stream} connection="up" />);
      unmount();
    }
    expect(answer.resume).toHaveBeenCalledOnce();
    expect(question.resume).not.toHaveBeenCalled();
    expect(question.submit).not.toHaveBeenCalled();
  });
});

describe('a question', () => {
  const stored = (key: string) => localStorage.getItem(`liveai.draft.${key}`) ?? '';
  const ask = async (words: string) => userEvent.type(screen.getByRole('textbox'), `${words}{Enter}`);

  test('is kept, wherever it was typed, until a stream has taken it', async () => {
    localStorage.setItem('liveai.draft./', JSON.stringify({ prompt: ' Why?', options: {}, kind: 'ask-question' }));
    const { rerender } = render(<Shell stream={aStream()} />);
    await ask('Why?');
    rerender(<Shell stream={lost({ ...UNSENT, lineProblem: FULL })} />);
    expect([stored('/'), stored('ask-question')].every((text) => text.includes('Why?'))).toBe(true);
    rerender(<Shell stream={aLiveStream({ text: '' })} />);
    expect(`${stored('/')}${stored('ask-question')}`).not.toContain('Why?');
  });

  test('from another page’s composer is kept here, too, but replaces nothing that is typed', () => {
    const show = () =>
      render(
        <BlockShell block={aBlock()} stream={aStream()} initialAsk={{ prompt: 'Why?' }}>
          <p />
        </BlockShell>,
      );
    vi.useFakeTimers();
    show();
    act(() => vi.runOnlyPendingTimers());
    expect(stored('ask-question')).toContain('Why?');
    localStorage.setItem('liveai.draft.ask-question', '{"prompt":"Half a que","options":{}}');
    cleanup();
    show();
    act(() => vi.runOnlyPendingTimers());
    vi.useRealTimers();
    expect(stored('ask-question')).toContain('Half a que');
  });

  test('of somebody who is signed out is kept, and the note leads to signing in', () => {
    const error = { code: 'not_authenticated', message: 'Authentication required.', isRetryable: false };
    render(<Shell stream={aStream({ input: INPUT, prompt: 'Why?', status: 'error', finishReason: 'error', error })} />);
    expect(screen.getByRole('alert').textContent).toContain('Sign in to ask. Your question is kept.');
    expect(screen.getByRole('link', { name: 'Sign in' }).getAttribute('href')).toBe('/login?next=/');
  });

  test('that was stopped before it was sent is called that', () => {
    render(<Shell stream={aStream({ input: INPUT, prompt: 'Why?', finishReason: 'cancelled' })} />);
    expect(note()).toContain('Your question wasn’t sent.');
    expect(document.querySelector('.wire')?.getAttribute('data-state')).toBe('stopped');
  });
});

test('a continuation that was stopped before it was sent is no question', () => {
  const earlier = [{ streamId: 'first', continues: undefined, text: 'Because', items: [] }];
  render(<Shell stream={aStream({ input: INPUT, prompt: 'Why?', finishReason: 'cancelled', continues: 'first', earlier })} />);
  expect(note()).toBe('Stopped before it was finished.');
});

test('a continuation that can’t be sent yet is no question either', () => {
  const waiting = { ...UNSENT, continues: 'first', data: 'Because' };
  render(<Shell stream={lost({ ...waiting, lineProblem: FULL })} />);
  expect(note()).toMatch(/^The server is full\. What is here is kept; trying again in 3 s\./u);
  cleanup();
  render(<Shell connection="offline" stream={lost(waiting)} />);
  expect(note()).toBe('You’re offline. What is here is kept. The rest will be asked for when you’re back online.');
});

test.each([
  ['length', 'This answer hit the length limit.'],
  ['repetition', 'The model began to repeat itself. The answer was stopped there.'],
  ['stop', ''],
] as const)('an answer that ended with %s has its note', (finishReason, words) => {
  render(<Shell stream={anEndedStream({ finishReason })} />);
  expect(note()).toBe(words);
});
