/** The custom element, with a scripted server. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { cancelled, chunk, completed, failed, item, started, STREAM } from '../ai/testing/scriptedEvents';
import type { SseLine } from '../ai/testing/scriptedLines';
import { pass, settle } from '../ai/testing/scriptedLines';
import { setStage } from '../ai/testing/stage';
import type { StreamClientOptions } from '../ai/types';
import { AIBlockElement, defineAIBlock } from './index';

const stage = setStage();
beforeEach(() => defineAIBlock());
afterEach(() => document.body.replaceChildren());

async function placed(attributes: Record<string, string> = {}, options: StreamClientOptions = {}): Promise<AIBlockElement> {
  const block = document.createElement('ai-block');
  for (const [name, value] of Object.entries({ kind: 'ask-question', prompt: 'Why?', ...attributes })) block.setAttribute(name, value);
  block.client = stage.client({ transport: 'sse', ...options });
  document.body.append(block);
  await settle();
  return block;
}
const part = (block: AIBlockElement, name: string) => block.shadowRoot?.querySelector<HTMLElement>(`[part='${name}']`);
const partsOf = (block: AIBlockElement, name: string) =>
  [...(block.shadowRoot?.querySelectorAll(`[part='${name}']`) ?? [])].map(({ textContent }) => textContent);

describe('<ai-block>', () => {
  it('asks once it is placed, shows words as text, and tells its end', async () => {
    const block = await placed();
    const ends = vi.fn<(event: Event) => void>();
    document.body.addEventListener('ai-complete', ends, { once: true });
    const line = await stage.server.sseLine();
    expect(line.request.body).toMatchObject({ prompt: 'Why?' });
    expect(line.request.path).toBe('/api/stream/ai-block/ask-question');
    expect([part(block, 'answer')?.ariaBusy ?? part(block, 'answer')?.getAttribute('aria-busy'), part(block, 'stop')?.hidden]).toEqual(['true', false]);
    await line.send(started(), chunk(0, 'One <b>bold</b>\n\nTw'), chunk(1, 'o'));
    await pass(300);
    expect(partsOf(block, 'paragraph')).toEqual(['One <b>bold</b>', 'Two']);
    const [first] = block.shadowRoot?.querySelectorAll('p') ?? [];
    await line.send(chunk(2, ' more'), completed(3));
    expect(partsOf(block, 'paragraph')).toEqual(['One <b>bold</b>', 'Two more']);
    expect(block.shadowRoot?.querySelector('p')).toBe(first); // it was not drawn again
    expect(part(block, 'status')?.textContent).toBe('Finished.');
    expect(part(block, 'answer')?.getAttribute('aria-busy')).toBe('false');
    expect(ends.mock.calls[0]?.[0]).toMatchObject({ detail: { streamId: STREAM, text: 'One <b>bold</b>\n\nTwo more' } });
  });

  it('shows the questions of a quiz, with their answers behind a button', async () => {
    const block = await placed({ kind: 'quiz' });
    const line = await stage.server.sseLine();
    const question = { question: 'Red?', options: ['Mars', 'Venus'], answer: 0, explanation: 'Rust.' };
    await line.send(started({ block_type: 'quiz' }), item(0, '/title', 'Planets'), item(1, '/questions/0', question), completed(2));
    expect(partsOf(block, 'title')).toEqual(['Planets']);
    expect(partsOf(block, 'option')).toEqual(['Mars', 'Venus']);
    expect(partsOf(block, 'solution')).toEqual(['AnswerMarsRust.']);
  });

  it('shows the arrows of a diagram as words, and its source', async () => {
    const block = await placed({ kind: 'diagram' });
    const line = await stage.server.sseLine();
    const node = (n: number, label: string) => item(n, `/nodes/${n}`, { id: `n${n + 1}`, label });
    await line.send(started({ block_type: 'diagram' }), node(0, 'Boil'), node(1, 'Pour'));
    await line.send(item(2, '/edges/0', { from: 'n1', to: 'n2', label: 'then' }), completed(3));
    expect(partsOf(block, 'step')).toEqual(['Boil → Pour (then)']);
    expect(partsOf(block, 'code')[0]).toContain('flowchart TD');
  });

  it('stops the answer by its button', async () => {
    stage.server.answers[`POST /api/streams/${STREAM}/cancel`] = () => Response.json({ status: 'cancelled' });
    const block = await placed();
    const line = await stage.server.sseLine();
    await line.send(started(), chunk(0, 'a'));
    part(block, 'stop')?.click();
    await settle();
    expect(stage.server.calls(`POST /api/streams/${STREAM}/cancel`)).toHaveLength(1);
    await line.send(cancelled(1));
    expect([part(block, 'status')?.textContent, part(block, 'stop')?.hidden]).toEqual(['Stopped.', true]);
  });

  it('says why it failed, and asks again if that may help', async () => {
    const block = await placed();
    const problems: unknown[] = [];
    block.addEventListener('ai-error', (event) => problems.push((event as CustomEvent).detail));
    await (await stage.server.sseLine()).send(started(), failed(0));
    expect([part(block, 'error')?.textContent, part(block, 'retry')?.hidden]).toEqual(['The model can’t be reached.', false]);
    expect(problems).toMatchObject([{ code: 'provider_unavailable' }]);
    part(block, 'retry')?.click();
    await settle();
    expect(stage.server.calls('POST /api/stream/ai-block/ask-question')).toHaveLength(2);
    block.remove();
  });

  it('goes on where it was after it was moved, and asks no second time', async () => {
    const block = await placed();
    await (await stage.server.sseLine()).send(started(), chunk(0, 'a'));
    block.remove();
    document.body.append(block);
    await settle();
    const line = await stage.server.sseLine();
    expect(line.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 0 });
    await line.send(started({ after: 0 }), chunk(1, 'b'), completed(2));
    expect(partsOf(block, 'paragraph')).toEqual(['ab']);
    expect(stage.server.calls('POST /api/stream/ai-block/ask-question')).toHaveLength(1);
  });

  it('moved before its start, asks for the same answer again', async () => {
    const block = await placed();
    const first = await stage.server.line();
    block.remove();
    document.body.append(block);
    await settle();
    const line = await stage.server.sseLine();
    expect(line.asked).toEqual(first.asked);
    await line.send(started(), chunk(0, 'a'), completed(1));
    expect([partsOf(block, 'paragraph'), part(block, 'answer')?.getAttribute('aria-busy')]).toEqual([['a'], 'false']);
  });

  it('moved after it was stopped unseen, asks for nothing', async () => {
    stage.server.answers['POST /api/streams/cancel'] = () => Response.json({ stream_id: null, status: 'cancelled' });
    stage.server.isOffline = true;
    const block = await placed();
    void block.stop();
    await pass(1_000);
    expect(block.answer?.isCancelledUnseen).toBe(true);
    stage.server.isOffline = false;
    block.remove();
    document.body.append(block);
    await pass(60_000);
    expect(stage.server.lines).toEqual([]);
  });

  it('tries a lost answer again at its place, and a lost question as the same request', async () => {
    const lost = async (...events: Parameters<SseLine['send']>) => {
      const block = await placed({}, { maxAttempts: 0 });
      const line = await stage.server.sseLine();
      await line.send(...events);
      await line.cut();
      expect(block.answer?.problem?.code).toBe('connection_lost');
      part(block, 'retry')?.click();
      await settle();
      const again = await stage.server.sseLine();
      await again.send(started({ after: events.length - 2 }), chunk(1, 'b'), completed(2));
      return [line.asked, again.asked, partsOf(block, 'paragraph')];
    };
    expect((await lost(started(), chunk(0, 'a'))).slice(1)).toEqual([{ kind: 'watch', streamId: STREAM, after: 0 }, ['ab']]);
    const [first, second] = await lost();
    expect(second).toEqual(first);
  });

  it('takes what a page has set before the element was defined', async () => {
    const getToken = () => 'secret';
    const block = document.createElement('late-block') as AIBlockElement;
    Object.assign(block, { kind: 'quiz', prompt: 'Mars', client: stage.client({ transport: 'sse' }), getToken });
    document.body.append(block);
    customElements.define('late-block', class extends AIBlockElement {});
    await settle();
    const line = await stage.server.sseLine();
    expect(line.asked).toMatchObject({ blockType: 'quiz', prompt: 'Mars' });
    expect(block.getToken).toBe(getToken);
    expect(block.outerHTML).toBe('<late-block kind="quiz" prompt="Mars"></late-block>');
    await line.send(started(), completed(0));
    block.prompt = 'Venus';
    expect(block.getAttribute('prompt')).toBe('Venus');
    block.remove();
  });

  it('reflects its properties, and asks anew when its question changes', async () => {
    const block = await placed();
    await (await stage.server.sseLine()).send(started(), completed(0));
    block.prompt = 'Where?';
    block.kind = 'explain-eli10';
    block.baseUrl = 'https://ai.test';
    block.token = 'secret';
    expect(block.outerHTML).toBe('<ai-block kind="explain-eli10" prompt="Where?" base-url="https://ai.test" token="secret"></ai-block>');
    await settle();
    const line = await stage.server.sseLine();
    expect([line.request.path, line.request.body]).toMatchObject(['/api/stream/ai-block/explain-eli10', { prompt: 'Where?' }]);
    await line.send(started(), completed(0));
    expect(stage.server.lines).toHaveLength(2);
  });
});
