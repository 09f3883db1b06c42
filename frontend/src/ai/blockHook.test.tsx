import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import type { StreamEvent } from './core/events';
import { useAIBlockStreaming } from './streamHooks';
import { chunk, completed, item, started } from './testing/scriptedEvents';
import { pass } from './testing/scriptedLines';
import { setStage } from './testing/stage';
import type { StreamInput } from './types';

const stage = setStage();
afterEach(async () => {
  cleanup();
  await pass(0);
});

async function asked<const Slug extends string>(slug: Slug, input: StreamInput | string = 'The sea') {
  const client = stage.client({ transport: 'sse' });
  const { result } = renderHook(() => useAIBlockStreaming(slug, { client }));
  act(() => void result.current.submit(input));
  const line = await act(() => stage.server.line());
  const send = async (...events: StreamEvent[]) => {
    await act(() => line.send(...events));
    await act(() => pass(100));
    return result.current;
  };
  return { send, line, now: () => result.current };
}

describe('useAIBlockStreaming', () => {
  it('asks its own block, with a prompt alone or with options', async () => {
    const plain = await asked('quiz');
    expect(plain.line.asked).toMatchObject({ kind: 'start', blockType: 'quiz', prompt: 'The sea' });
    const { line } = await asked('quiz', { prompt: 'The sea', options: { questions: 3 } });
    expect(line.asked).toMatchObject({ blockType: 'quiz', options: { questions: 3 } });
  });

  it('gives text for a markdown block', async () => {
    const { send, now } = await asked('ask-question');
    const words: string = now().data;
    expect([words, now().isFinal, now().blockType]).toEqual(['', false, 'ask-question']);
    expect(await send(started(), chunk(0, '**Salt'))).toMatchObject({ data: '**Salt', isFinal: false });
    expect(await send(chunk(1, '**'), completed(2))).toMatchObject({ data: '**Salt**', isFinal: true });
  });

  it('gives a quiz, question by question', async () => {
    const { send } = await asked('quiz');
    const question = { question: 'Why?', options: ['a', 'b', 'c', 'd'], answer: 1, explanation: 'So.' };
    const growing = await send(started(), chunk(0, 'The s', { path: '/title' }));
    expect(growing.data).toMatchObject({ arrivingTitle: 'The s', questions: [], arriving: undefined });
    const next = await send(item(1, '/title', 'The sea'), chunk(2, 'Wh', { path: '/questions/0/question' }));
    expect(next.data).toMatchObject({ title: 'The sea', arriving: { index: 0, question: 'Wh' } });
    const whole = await send(item(3, '/questions/0', question), completed(4));
    expect(whole.data).toEqual({
      title: 'The sea',
      questions: [question],
      arriving: undefined,
      arrivingTitle: '',
    });
    expect(whole.isFinal).toBe(true);
  });

  it('gives a diagram whose source is valid at any time', async () => {
    const { send, now } = await asked('diagram');
    expect(now().data.source).toContain('flowchart');
    const { data } = await send(
      started(),
      item(0, '/nodes/0', { id: 'a', label: 'Sea' }),
      item(1, '/nodes/1', { id: 'b', label: 'Cloud' }),
      item(2, '/edges/0', { from: 'a', to: 'b' }),
      chunk(3, 'Ra', { path: '/nodes/2/label' }),
    );
    expect([data.nodes.length, data.edges.length, data.arriving]).toEqual([2, 1, 'Ra']);
    expect(data.source).toContain('Cloud');
  });

  it('gives JSON or text for a block that an admin added', async () => {
    const json = await asked('city-facts');
    const { data } = await json.send(started(), item(0, '/name', 'Bergen'), item(1, '/tags/0', 'rain'));
    expect(data).toEqual({ value: { name: 'Bergen', tags: ['rain'] }, arriving: {} });
    const text = await asked('haiku');
    expect((await text.send(started(), chunk(0, 'Rain'))).data).toBe('Rain');
  });

  it('gives the same data object while its parts do not change', async () => {
    const { send, now } = await asked('quiz');
    await send(started(), item(0, '/title', 'The sea'));
    const { data } = now();
    await send(completed(1));
    expect(now().isFinal).toBe(true);
    expect(now().data.questions).toEqual(data.questions);
  });
});
