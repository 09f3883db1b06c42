import { act, cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PreviewPanel } from './PreviewPanel';

const STREAM = 'A'.repeat(22);

const FORM = `
  <input type="hidden" name="csrfmiddlewaretoken" value="t0k3n">
  <div class="form-row field-title"><label for="id_title">Title:</label><input id="id_title" name="title" value="Tale"></div>
  <div class="form-row field-output"><select name="output"><option value="markdown" selected></option><option value="json"></option></select></div>
  <div class="form-row field-options_schema"><textarea name="options_schema"></textarea></div>
  <input name="prompt_limit" value="40"><textarea name="example_prompt"></textarea>`;

let form: HTMLFormElement;
let box: HTMLElement;
const asked: { body: FormData; signal: AbortSignal }[] = [];

/** A response whose events the test sends one by one. */
function stage() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  });
  const send = (event: object) =>
    act(async () => {
      controller?.enqueue(new TextEncoder().encode(`data: ${JSON.stringify({ stream_id: STREAM, ...event })}\n\n`));
      await vi.advanceTimersByTimeAsync(300);
    });
  const close = () => act(async () => controller?.close());
  const answer = (status = 200, type = 'text/event-stream', text?: string) => {
    vi.stubGlobal('fetch', (_: string, init: { body: FormData; signal: AbortSignal }) => {
      asked.push(init);
      init.signal.addEventListener('abort', () => controller?.error(new DOMException('', 'AbortError')));
      return Promise.resolve(new Response(text ?? body, { status, headers: { 'Content-Type': type } }));
    });
  };
  return { send, close, answer };
}

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = `<form id="blocktype_form">${FORM}</form><section></section>`;
  form = document.querySelector('form') as HTMLFormElement;
  box = document.querySelector('section') as HTMLElement;
  render(<PreviewPanel form={form} url="/preview/" block="7" />, { container: box });
  asked.length = 0;
});

afterEach(() => {
  cleanup();
  document.body.innerHTML = ''; // other tests share it
  vi.useRealTimers();
});

const button = (name: string) =>
  [...box.querySelectorAll('button')].find((each) => each.textContent === name) as HTMLButtonElement;
const words = () => box.querySelector('.preview-status')?.textContent;

function write(element: HTMLTextAreaElement, value: string): void {
  const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set;
  set?.call(element, value);
  element.dispatchEvent(new Event('input', { bubbles: true }));
}

async function ask(prompt: string): Promise<void> {
  act(() => write(box.querySelector('textarea') as HTMLTextAreaElement, prompt));
  await act(async () => button('Preview').click());
}

const START = { type: 'start', block_type: 'tale', model: 'x', status: 'running', after: -1, created_at: '', request_id: null };
const END = {
  type: 'complete', seq: 1, finish_reason: 'length', usage: { input_tokens: 3, output_tokens: 1_200 }, ttft_ms: 400, duration_ms: 2_500,
};

describe('the preview', () => {
  it('sends the unsaved values, and shows the answer while it grows', async () => {
    const { send, close, answer } = stage();
    answer();
    (form.querySelector('#id_title') as HTMLInputElement).value = 'Fable';
    await ask('Why?');
    expect(words()).toBe('Asking the model…');
    const { body } = asked[0] ?? {};
    expect(Object.fromEntries(body ?? [])).toMatchObject({
      title: 'Fable', csrfmiddlewaretoken: 't0k3n', 'preview-prompt': 'Why?', 'preview-block': '7', 'preview-options': '{}',
    });
    await send(START);
    await vi.waitFor(() => expect(words()).toBe('Waiting for the first word…'));
    await send({ type: 'thinking', since_ms: 1_500 });
    await vi.waitFor(() => expect(words()).toBe('The model is thinking… 1.5 s'));
    await send({ type: 'chunk', seq: 0, token: 'Because.' });
    await vi.waitFor(() => expect(words()).toBe('Writing…'));
    expect(box.querySelector('.preview-answer')?.textContent).toContain('Because.');
    await send(END);
    await close();
    expect(words()).toBe('1,200 tokens, first word after 0.4 s, done after 2.5 s, cut at the length limit.');
    expect(button('Preview')).toBeDefined();
  });

  it('stop closes the connection, and keeps what was written', async () => {
    const { send, answer } = stage();
    answer();
    await ask('Why?');
    await send(START);
    await send({ type: 'chunk', seq: 0, token: 'Half' });
    await act(async () => button('Stop').click());
    expect(asked[0]?.signal.aborted).toBe(true);
    expect(words()).toBe('Stopped.');
    expect(box.textContent).toContain('Half');
    expect(box.querySelector('[role=alert]')).toBeNull();
  });

  it('a page that goes stops it', async () => {
    const { send, answer } = stage();
    answer();
    await ask('Why?');
    await send(START);
    cleanup();
    expect(asked[0]?.signal.aborted).toBe(true);
  });

  it('problems of the form are shown at their fields, and go with the next preview', async () => {
    const { answer } = stage();
    const errors = { title: ['This field is <required>.'], __all__: ['Both.'] };
    answer(400, 'application/problem+json', JSON.stringify({ detail: 'Some values can’t be used.', code: 'invalid_input', errors }));
    await ask('Why?');
    const row = form.querySelector('.field-title') as HTMLElement;
    expect(row.querySelector('.errorlist')?.textContent).toBe('This field is <required>.');
    expect(row.classList.contains('errors')).toBe(true);
    const alert = box.querySelector('[role=alert]') as HTMLElement;
    expect(alert.textContent).toContain('Some values can’t be used. (invalid_input)');
    expect(alert.querySelector('a')?.getAttribute('href')).toBe('#id_title');
    expect(alert.textContent).toContain('Both.');
    stage().answer();
    await ask('Why?');
    expect(row.querySelector('.errorlist')).toBeNull();
    expect(row.classList.contains('errors')).toBe(false);
  });

  it.each([
    ['a lost connection', 200, 'text/event-stream', 'data: {}\n\n', 'The connection was lost'],
    ['a page to sign in', 200, 'text/html', '<html>', 'Your session has ended'],
    ['a limit', 429, 'application/problem+json', '{"detail": "Too many.", "code": "rate_limited"}', 'Too many. (rate_limited)'],
    ['an unreadable refusal', 400, 'application/problem+json', '{', 'The preview was refused.'],
  ])('%s is said in words', async (_, status, contentType, text, said) => {
    const { answer } = stage();
    answer(status, contentType, text);
    await ask('Why?');
    expect(box.querySelector('[role=alert]')?.textContent).toContain(said);
  });

  it('the options follow the schema that is being typed; those that are gone are not sent', async () => {
    const { answer } = stage();
    const schema = form.querySelector<HTMLTextAreaElement>('[name=options_schema]') as HTMLTextAreaElement;
    act(() => write(schema, '{"properties": {"vivid": {"type": "boolean", "title": "Vivid"}}}'));
    await act(async () => (box.querySelector('input[type=checkbox]') as HTMLInputElement).click());
    answer(429, 'application/problem+json', '{}');
    await ask('Why?');
    expect(asked[0]?.body.get('preview-options')).toBe('{"vivid":true}');
    act(() => write(schema, '{"properties": {'));
    expect(box.querySelector('input[type=checkbox]')).toBeNull();
    await ask('Why?');
    expect(asked[1]?.body.get('preview-options')).toBe('{}');
  });
});
