// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { problemOf, refusalOf, refusalOfFrame } from './problem';

const NOW = Date.UTC(2026, 0, 1);

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
}

describe('problemOf', () => {
  it('reads the server’s own problem', async () => {
    const body = { code: 'invalid_input', title: 'Invalid', detail: 'tone: no such tone.', field: 'tone' };
    const [problem] = await problemOf(answer(400, body), NOW);
    expect(problem).toEqual({
      code: 'invalid_input',
      message: 'tone: no such tone.',
      isRetryable: false,
      field: 'tone',
    });
  });

  it('uses the title if there is no detail', async () => {
    const [problem] = await problemOf(answer(404, { code: 'not_found', title: 'Not found' }), NOW);
    expect(problem.message).toBe('Not found');
  });

  it.each([
    ['a proxy’s page', '<h1>Bad gateway</h1>'],
    ['nothing', ''],
    ['no object', 'null'],
    ['odd types', { code: 7, detail: {}, field: [] }],
  ])('builds one from %s', async (_, body) => {
    const [problem] = await problemOf(answer(502, body), NOW);
    expect(problem).toEqual({
      code: 'http_502',
      message: 'The server answered 502.',
      isRetryable: true,
    });
  });
});

describe('refusalOf', () => {
  it.each([
    [400, 'invalid_input', 'final'],
    [403, 'forbidden', 'final'],
    [403, 'csrf_failed', 'csrf'],
    [409, 'still_running', 'final'],
    [429, 'rate_limited', 'later'],
    [500, 'internal', 'later'],
    [503, 'shutting_down', 'later'],
    [503, 'paused', 'final'],
  ])('turns %d %s into %s', async (status, code, kind) => {
    expect((await refusalOf(answer(status, { code }), NOW)).kind).toBe(kind);
  });

  it('names the other transport, if it is a known one', async () => {
    const code = 'transport_not_selected';
    expect(await refusalOf(answer(409, { code, selected: 'websocket' }), NOW)).toMatchObject({
      kind: 'elsewhere',
      transport: 'websocket',
    });
    expect((await refusalOf(answer(409, { code, selected: 'pigeon' }), NOW)).kind).toBe('final');
  });

  it('waits for up to 30 s, and reports longer waits to the user', async () => {
    const wait = (seconds: string) =>
      refusalOf(answer(429, { code: 'rate_limited' }, { 'Retry-After': seconds }), NOW);
    expect(await wait('30')).toMatchObject({ kind: 'later', waitMs: 30_000 });
    expect(await wait('31')).toMatchObject({ kind: 'final', problem: { retryAfterMs: 31_000 } });
  });
});

describe('refusalOfFrame', () => {
  it.each([
    ['rate_limited', 'later'],
    ['store_unavailable', 'later'],
    ['not_found', 'final'],
    ['prompt_too_long', 'final'],
    ['transport_not_selected', 'elsewhere'],
  ])('turns %s into %s', (code, kind) => {
    expect(refusalOfFrame({ code, message: 'No.' }).kind).toBe(kind);
  });

  it('accepts frames without a message, and reads the wait', () => {
    expect(refusalOfFrame({})).toMatchObject({ problem: { message: 'The server refused.' } });
    const named = { code: 'invalid_input', message: 'It is whole.', field: 'continues' };
    expect(refusalOfFrame(named)).toMatchObject({ kind: 'final', problem: { field: 'continues' } });
    expect(refusalOfFrame({ ...named, field: 7 }).problem).not.toHaveProperty('field');
    const frame = { code: 'too_many_streams', retry_after_ms: 60_000 };
    expect(refusalOfFrame(frame)).toMatchObject({ kind: 'final', problem: { retryAfterMs: 60_000 } });
  });
});
