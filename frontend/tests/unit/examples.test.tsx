/** The example of the documents exists as a file, compiles and works. */
import { readFileSync } from 'node:fs';

import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';

import { AskAnything } from '../../examples/AskAnything';
import { tellWhy } from '../../examples/withoutReact';

const page = readFileSync('../docs/hooks.md', 'utf8');
const example = readFileSync('examples/AskAnything.tsx', 'utf8');

it('shows the example exactly as in its file', () => {
  const blocks = [...page.matchAll(/```tsx\n(.*?)```/gs)].map(([, code]) => code);
  expect(blocks).toContain(example);
});

it('is about ten lines long', () => {
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(14);
});

function serveAnAnswer(prompt: string) {
  const id = 'Zm9ydHktdHdvLXN0cmVhbQ';
  const frames = [
    { type: 'start', block_type: 'ask-question', model: 'm', status: 'running', after: -1, created_at: '', request_id: null },
    { type: 'chunk', seq: 0, token: 'Because ' },
    { type: 'chunk', seq: 1, token: 'of the air.' },
    { type: 'complete', seq: 2, finish_reason: 'stop', usage: { input_tokens: 1, output_tokens: 2 }, ttft_ms: 1, duration_ms: 2 },
  ];
  const body = frames.map((frame) => `data: ${JSON.stringify({ stream_id: id, ...frame })}\n\n`).join('');
  const config = { streaming: { enabled: true, backend: 'sse', fallback: true, message: '' } };
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (url === '/api/config') return Response.json(config);
    expect(url).toBe('/api/stream/ai-block/ask-question');
    expect(JSON.parse(String(init.body))).toMatchObject({ prompt });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  });
}

it('asks without React, too', async () => {
  serveAnAnswer('What is photosynthesis?');
  const written: string[] = [];
  await tellWhy((text) => written.push(text));
  expect(written.join('')).toBe('Because of the air.');
});

it('asks, and shows the answer as it arrives', async () => {
  serveAnAnswer('Why is the sky blue?');
  render(<AskAnything />);
  await userEvent.type(screen.getByLabelText('Your question'), 'Why is the sky blue?');
  await userEvent.click(screen.getByRole('button', { name: 'Ask' }));

  expect(await screen.findByText('Because of the air.')).toBeDefined();
  expect(screen.getByRole('button', { name: 'Ask' })).toBeDefined();
});
