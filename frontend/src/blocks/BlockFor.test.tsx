import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { StrictMode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StreamResource } from '@liveai/client';
import { BlockFor } from './BlockFor';
import { aBlock, aResource, STREAM_ID } from './shellFixtures';

const requests: { method: string; path: string }[] = [];

beforeEach(() => {
  requests.length = 0;
  localStorage.clear();
  sessionStorage.clear();
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const path = new URL(url, location.href).pathname;
    requests.push({ method: init.method ?? 'GET', path });
    return path === '/api/config' ? Response.json(CONFIG) : answer();
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const CONFIG = {
  streaming: { enabled: true, backend: 'sse', fallback: true, message: '' },
  limits: {},
  user: null,
  demo_model: true,
};
const START = { block_type: 'ask-question', model: 'm', status: 'queued', after: -1, created_at: '', request_id: null };
const END = { finish_reason: 'stop', usage: { input_tokens: 1, output_tokens: 2 }, ttft_ms: 5, duration_ms: 9 };

function answer(): Response {
  const events = [
    { type: 'start', ...START },
    { type: 'chunk', seq: 0, token: 'Because **of' },
    { type: 'chunk', seq: 1, token: ' air**.' },
    { type: 'complete', seq: 2, ...END },
  ];
  const frames = events.map((event) => {
    const data = JSON.stringify({ stream_id: STREAM_ID, ...event });
    return `id: ${STREAM_ID}:${'seq' in event ? event.seq : -1}\nevent: ${event.type}\ndata: ${data}\n\n`;
  });
  return new Response(frames.join(''), { headers: { 'Content-Type': 'text/event-stream' } });
}

test('a question is asked once and answered, in StrictMode and with the real hook', async () => {
  const onStarted = vi.fn();
  render(<BlockFor block={aBlock()} onStarted={onStarted} />, { wrapper: StrictMode });
  await userEvent.type(screen.getByRole('textbox'), 'Why?{Control>}{Enter}{/Control}');
  expect((await screen.findByText('of air')).tagName).toBe('STRONG');
  expect(await screen.findByRole('button', { name: 'Regenerate' })).toBeTruthy();
  expect(requests.filter(({ path }) => path.startsWith('/api/stream/'))).toHaveLength(1);
  expect(onStarted).toHaveBeenCalledExactlyOnceWith(STREAM_ID);
});

test('input from another page is asked once, in StrictMode and with the real hook', async () => {
  render(<BlockFor block={aBlock()} initialAsk={{ prompt: 'Why?' }} />, { wrapper: StrictMode });
  expect(await screen.findByRole('button', { name: 'Regenerate' })).toBeTruthy();
  expect(requests.filter(({ path }) => path.startsWith('/api/stream/'))).toHaveLength(1);
});

const FIELDS: Partial<StreamResource> = {
  text: '{"dish":"Bread"}',
  items: [{ path: '/dish', value: 'Bread' }],
  result: { dish: 'Bread' },
};
const QUESTION = { question: 'Which one?', options: ['A1', 'B2', 'C3', 'D4'], answer: 0, explanation: 'So.' };
const QUIZ: Partial<StreamResource> = {
  items: [{ path: '/questions/0', value: QUESTION }],
  result: { title: '', questions: [QUESTION] },
};

test.each([
  ['ask-question', 'markdown', {}, 'Because of the air.'],
  ['explain-eli10', 'markdown', {}, 'Because of the air.'],
  ['an-admins-text', 'markdown', {}, 'Because of the air.'],
  ['an-admins-fields', 'json', FIELDS, 'Bread'],
  ['an-admins-quiz', 'quiz', QUIZ, 'Which one?'],
] as const)('a whole stream of %s is shown without a connection', async (slug, output, members, words) => {
  const stream = aResource({ block_type: slug, ...members });
  render(<BlockFor block={aBlock({ slug, output })} stream={stream} />, { wrapper: StrictMode });
  expect(await screen.findByText(words)).toBeTruthy();
  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Why is the sky blue?');
  expect(requests).toEqual([]);
});
