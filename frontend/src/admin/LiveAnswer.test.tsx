import { act, render, screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import type { OutputName } from '@liveai/client';
import { hookStage, send, wait } from '../ai/testing/mounted';
import { chunk, chunks, completed, failed, item, started, STREAM } from '../ai/testing/scriptedEvents';
import { LiveAnswer } from './LiveAnswer';

const { stage, line } = hookStage();

const BASE = 'https://live.test/admin/streaming/stream/live';

async function shown(hadEnded = false, output: OutputName = 'markdown') {
  const client = stage.client({ baseUrl: BASE, transport: 'sse', fallback: false });
  const onShown = vi.fn<() => void>();
  const { container } = render(
    <LiveAnswer client={client} streamId={STREAM} output={output} prompt="Why?" hadEnded={hadEnded} onShown={onShown} />,
  );
  return { container, onShown, first: await line() };
}

const words = () => screen.getByRole('status').textContent;

describe('the answer on the admin’s page', () => {
  it('grows through the admin’s own address, replaces the plain text at its first word, and ends', async () => {
    const { container, onShown, first } = await shown();
    expect(stage.server.requests.map(({ url }) => url)).toEqual([`${BASE}/api/streams/${STREAM}/events`]);
    await send(first, started());
    expect(words()).toBe('Waiting for the first word…');
    expect(onShown).not.toHaveBeenCalled();
    await send(first, ...chunks(0, 'Because', ' of'));
    await wait(100);
    expect(onShown).toHaveBeenCalledOnce();
    expect(words()).toBe('Live: the answer appears while it is written.');
    expect(container.textContent).toContain('Because of');
    await send(first, chunk(2, ' scattering'), completed(3));
    expect(container.textContent).toContain('Because of scattering');
    expect(words()).toBe('The answer has ended. Reload for the facts');
  });

  it('says nothing of the end of an answer whose facts are on the page', async () => {
    const { first } = await shown(true);
    await send(first, started(), chunk(0, 'a'), failed(1, 'provider_timeout'));
    expect(words()).toBe('');
  });

  it('goes on after a lost connection, and says when it may not be followed any more', async () => {
    const { container, first } = await shown();
    await send(first, started(), chunk(0, 'a'));
    await act(() => first.cut());
    expect(words()).toBe('The connection was lost. Trying again…');
    await wait(5_000);
    const second = await line();
    await act(() => second.refuse(403, 'forbidden'));
    expect(words()).toContain('The answer can’t be followed any more:');
    expect(screen.queryByRole('link')).toBeNull();
    expect(container.textContent).toContain('a');
  });

  it('shows a quiz with its right options', async () => {
    const { container, first } = await shown(false, 'quiz');
    const question = { question: 'Which?', options: ['this', 'that', 'both', 'none'], answer: 1, explanation: 'So it is.' };
    await send(first, started(), item(0, '/title', 'Stars'), item(1, '/questions/0', question));
    await wait(100);
    expect(container.querySelector('[data-right]')?.textContent).toBe('B. that – correct');
    for (const said of ['Stars', 'Which?', 'So it is.']) expect(container.textContent).toContain(said);
    await send(first, chunk(2, 'And wh', { path: '/questions/1/question' }));
    await wait(100);
    expect(container.textContent).toContain('And wh');
  });

  it('shows named fields', async () => {
    const { container, first } = await shown(false, 'json');
    await send(first, started(), item(0, '/name', 'Bread'));
    await wait(100);
    expect(container.querySelector('dt')?.textContent).toBe('Name');
  });
});
