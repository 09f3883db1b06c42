import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BlockShell, type BlockShellProps } from './BlockShell';
import { aBlock, aLiveStream, anEndedStream, aStream, STREAM_ID, sent } from './shellFixtures';
import { SiteContext } from './site';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const INPUT = { blockType: 'ask-question', prompt: 'Why?' };

function Shell(props: Partial<BlockShellProps<string>>) {
  const stream = props.stream ?? aStream();
  return (
    <BlockShell block={aBlock()} {...props} stream={stream}>
      <p>{stream.text}</p>
    </BlockShell>
  );
}

function wireState(): string | null | undefined {
  return document.querySelector('.wire')?.getAttribute('data-state');
}

function button(name: string | RegExp): HTMLElement | null {
  return screen.queryByRole('button', { name });
}

describe('asking', () => {
  test('a block without a stream shows its composer and three examples', () => {
    render(<Shell />);
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Ask a question');
    expect(screen.getAllByRole('listitem')).toHaveLength(3);
    expect(wireState()).toBeUndefined();
  });

  test('a typed prompt is asked once, also in StrictMode, and becomes the title', async () => {
    const stream = aStream();
    const { rerender } = render(<Shell stream={stream} />, { wrapper: StrictMode });
    await userEvent.type(screen.getByRole('textbox'), '  Why?  ');
    await userEvent.click(screen.getByRole('button', { name: /^Ask/u }));
    expect(stream.submit).toHaveBeenCalledExactlyOnceWith(sent({ prompt: 'Why?', options: {} }));
    rerender(<Shell stream={aLiveStream({ ...stream, input: INPUT, prompt: 'Why?', isLoading: true })} />);
    const title = screen.getByRole('heading', { level: 1 });
    expect(title.textContent).toBe('Why?');
    expect(document.activeElement).toBe(title);
  });

  test('input from another page is asked once on mount, also in StrictMode', () => {
    vi.useFakeTimers();
    const stream = aStream();
    const ask = { prompt: 'Why?', options: { depth: 2 } };
    render(<Shell stream={stream} initialAsk={ask} />, { wrapper: StrictMode });
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(wireState()).toBe('waiting');
    act(() => vi.runOnlyPendingTimers());
    expect(stream.submit).toHaveBeenCalledExactlyOnceWith(sent(ask));
  });

  test('the page is told once about the stream that was asked for, and the draft is forgotten', async () => {
    const onStarted = vi.fn();
    const stream = aStream();
    const { rerender } = render(<Shell stream={stream} onStarted={onStarted} />, { wrapper: StrictMode });
    await userEvent.type(screen.getByRole('textbox'), 'Why?{Control>}{Enter}{/Control}');
    expect(stream.submit).toHaveBeenCalledOnce();
    expect(localStorage.getItem('liveai.draft.ask-question')).toContain('Why?');
    expect(onStarted).not.toHaveBeenCalled();
    for (const text of ['', 'One', 'One two']) {
      rerender(<Shell stream={aLiveStream({ text })} onStarted={onStarted} />);
    }
    rerender(<Shell stream={aLiveStream({ streamId: 'another-that-is-watched' })} onStarted={onStarted} />);
    expect(onStarted).toHaveBeenCalledExactlyOnceWith(STREAM_ID);
    expect(localStorage.getItem('liveai.draft.ask-question')).toBeNull();
  });

  test('a stream that is only watched is not reported as started', () => {
    const onStarted = vi.fn();
    render(<Shell stream={aLiveStream({ input: undefined })} onStarted={onStarted} />);
    expect(onStarted).not.toHaveBeenCalled();
  });

  test('input that the server rejects returns to the composer, with the reason', async () => {
    const stream = aStream();
    const { rerender } = render(<Shell stream={stream} />);
    await userEvent.type(screen.getByRole('textbox'), 'Why?');
    await userEvent.click(screen.getByRole('button', { name: /^Ask/u }));
    const error = { code: 'invalid_input', message: 'The prompt is odd.', isRetryable: false };
    rerender(<Shell stream={aStream({ input: INPUT, prompt: 'Why?', status: 'error', error })} />);
    expect(screen.getByRole<HTMLTextAreaElement>('textbox').value).toBe('Why?');
    expect(screen.getByRole('alert').textContent).toContain('The prompt is odd. invalid_input');
  });
});

describe('while it is written', () => {
  test('before the first word it says what it does, and after a while for how long', () => {
    vi.useFakeTimers();
    render(<Shell stream={aLiveStream({ text: '', status: 'submitted' })} />);
    expect(wireState()).toBe('waiting');
    expect(screen.getByText(/Reading the question/u).textContent).not.toMatch(/\d/u);
    act(() => vi.advanceTimersByTime(6000));
    expect(screen.getByText('6 s')).toBeTruthy();
  });

  test('with streaming off it says that the answer arrives as a whole', () => {
    const streaming = { enabled: false, backend: 'sse' as const, fallback: true, message: '' };
    const config = { streaming, limits: {}, user: null, demo_model: false, csrf_token: null };
    render(
      <SiteContext value={{ config, blocks: [] }}>
        <Shell stream={aLiveStream({ text: '', status: 'submitted' })} />
      </SiteContext>,
    );
    expect(screen.getByText(/the answer appears when it is finished/u)).toBeTruthy();
  });

  test('the answer is busy, on a live wire, and outside the live region', () => {
    render(<Shell stream={aLiveStream()} />);
    expect(wireState()).toBe('live');
    const answer = screen.getByText('Sunlight looks white').closest('[aria-busy]');
    expect(answer?.getAttribute('aria-busy')).toBe('true');
    expect(screen.getByRole('status').contains(answer)).toBe(false);
  });

  test('Stop and Esc stop the generation', async () => {
    const stream = aLiveStream();
    const { rerender } = render(<Shell stream={stream} />);
    await userEvent.keyboard('{Escape}');
    expect(stream.stop).toHaveBeenCalledTimes(1);
    rerender(<Shell stream={{ ...stream, isStopping: true }} />);
    await userEvent.click(screen.getByRole('button', { name: 'Stopping' }));
    expect(stream.stop).toHaveBeenCalledTimes(2);
  });

  test('a refused stop is explained, and the answer continues', async () => {
    const error = { code: 'over_capacity', message: 'The server is full', isRetryable: true };
    const stream = aLiveStream({ error });
    render(<Shell stream={stream} />);
    const note = screen.getByRole('alert').textContent;
    expect(note).toContain('This answer couldn’t be stopped. The server is full. It is still being written.');
    expect(wireState()).toBe('live');
    expect(screen.getByText('Sunlight looks white')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Stop' }));
    expect(stream.stop).toHaveBeenCalledTimes(1);
  });

  test('a refused stop in an unknown session names the possible causes', () => {
    const error = { code: 'not_found', message: 'Stream not found.', isRetryable: false };
    render(<Shell stream={aLiveStream({ error })} />);
    expect(screen.getByRole('alert').textContent).toContain('blocks cookies');
  });

  test('an answer that the server hides from this browser is not called missing or kept', () => {
    const error = { code: 'not_found', message: 'Stream not found.', isRetryable: false };
    const stream = aLiveStream({ error, status: 'error', isLoading: false });
    const { rerender } = render(<Shell stream={stream} />);
    const words = screen.getByRole('alert').textContent;
    expect(words).toContain('You can’t follow this answer any more.');
    expect(words).toContain('You may have signed in or out');
    expect(words).not.toContain('not found');
    expect(words).not.toContain('is kept');
    rerender(<Shell stream={{ ...stream, streamId: undefined }} />);
    expect(screen.getByRole('alert').textContent).toContain('Stream not found.');
  });

  test('Esc that something closer handled does not stop, nor does Esc after the end', () => {
    const stream = aLiveStream();
    const { rerender } = render(<Shell stream={stream} />);
    const taken = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true });
    taken.preventDefault();
    fireEvent(document, taken);
    rerender(<Shell stream={anEndedStream({ stop: stream.stop })} />);
    fireEvent.keyDown(document, { key: 'Escape' });
    expect(stream.stop).not.toHaveBeenCalled();
  });

  test('a refusal for lack of capacity is shown in the server’s words, with the time to wait', () => {
    const lineProblem = { code: 'too_many_streams', message: 'You have 6 answers running.', isRetryable: true };
    const stream = aLiveStream({ status: 'reconnecting', lineProblem, nextTryAt: Date.now() + 4900 });
    const { container } = render(<Shell stream={{ ...stream, text: '', data: '' }} />);
    expect(container.textContent).toContain('You have 6 answers running. Reconnecting in 5 s.');
    expect(container.textContent).not.toContain('Connection lost');
  });

  test('without a connection from the start, nothing is said of an answer', () => {
    const stream = aLiveStream({ status: 'reconnecting', streamId: undefined, nextTryAt: Date.now() + 2900 });
    const { container } = render(<Shell stream={{ ...stream, text: '', data: '' }} />);
    const words =
      'The server didn’t answer. Your question is kept; trying again in 3 s.';
    expect(container.textContent).toContain(words);
    expect(container.textContent).not.toMatch(/connection lost|answer is|left off/iu);
  });

  test('a lost connection counts down to the next attempt, which can be made at once', async () => {
    const stream = aLiveStream({ status: 'reconnecting', nextTryAt: Date.now() + 2900 });
    render(<Shell stream={stream} />);
    expect(wireState()).toBe('lost');
    expect(screen.getByText(/it will pick up where it left off/u).textContent).toContain('in 3 s');
    await userEvent.click(screen.getByRole('button', { name: 'Try now' }));
    expect(stream.reconnectNow).toHaveBeenCalledOnce();
  });

  test('a fallback to the other transport is mentioned', () => {
    render(<Shell stream={aLiveStream({ transport: 'sse', isFallback: true })} />);
    expect(screen.getByText('Connected over SSE instead.')).toBeTruthy();
  });
});

describe('the end', () => {
  test('focus on Stop moves to the tools, and no other focus moves', () => {
    const { rerender } = render(<Shell stream={aLiveStream()} />);
    screen.getByRole('button', { name: 'Stop' }).focus();
    rerender(<Shell stream={anEndedStream()} />);
    expect(document.activeElement).toBe(screen.getByRole('group', { name: 'Tools for this answer' }));
  });

  test('a complete answer can be regenerated, and left for another', async () => {
    const user = userEvent.setup();
    const stream = anEndedStream();
    const onAskElse = vi.fn();
    render(<Shell stream={stream} onAskElse={onAskElse} />);
    expect(wireState()).toBe('ended');
    expect(button('Stop')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Regenerate' }));
    expect(stream.submit).toHaveBeenCalledExactlyOnceWith(sent({ prompt: 'Why is the sky blue?', options: {} }));
    await user.click(screen.getByRole('button', { name: 'Ask something else' }));
    expect(stream.reset).toHaveBeenCalledOnce();
    expect(onAskElse).toHaveBeenCalledOnce();
    expect(document.activeElement).toBe(screen.getByRole('textbox'));
  });

  test('a failure says what happened, what was kept and its code, and can be retried', async () => {
    const error = { code: 'provider_interrupted', message: 'The model broke off', isRetryable: true };
    const stream = anEndedStream({ isComplete: false, status: 'error', finishReason: 'error', error });
    render(<Shell stream={stream} />);
    expect(wireState()).toBe('failed');
    const words = screen.getByRole('alert').textContent;
    expect(words).toContain('The model broke off. What was written is kept.');
    expect(words).toContain('provider_interrupted');
    expect(button('Regenerate')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(stream.submit).toHaveBeenCalledOnce();
  });

  test('a failure that is not retryable offers no retry', () => {
    const error = { code: 'provider_rejected', message: 'Refused.', isRetryable: false };
    render(<Shell stream={anEndedStream({ status: 'error', finishReason: 'error', error, text: '' })} />);
    expect(button('Try again')).toBeNull();
    expect(button('Regenerate')).not.toBeNull();
    expect(screen.getByRole('alert').textContent).not.toContain('kept');
  });

  test('a connection that was given up is resumed, and nothing is asked twice', async () => {
    const error = { code: 'connection_lost', message: 'The line is gone.', isRetryable: true };
    const stream = anEndedStream({ isComplete: false, status: 'error', finishReason: 'error', error });
    render(<Shell stream={stream} />);
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(stream.resume).toHaveBeenCalledOnce();
    expect(stream.submit).not.toHaveBeenCalled();
  });

  test('a retry that the server wants later waits for it', () => {
    vi.useFakeTimers();
    const error = { code: 'rate_limited', message: 'Too fast.', isRetryable: true, retryAfterMs: 5000 };
    const stream = aStream({ input: INPUT, prompt: 'Why?', status: 'error', error, retryAt: Date.now() + 5000 });
    render(<Shell stream={stream} />);
    fireEvent.click(screen.getByRole('button', { name: 'Try again in 5 s' }));
    expect(stream.resume).not.toHaveBeenCalled();
    act(() => vi.advanceTimersByTime(5100));
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    // The same question: an earlier attempt may have arrived.
    expect(stream.resume).toHaveBeenCalledOnce();
    expect(stream.submit).not.toHaveBeenCalled();
  });

  test('the live region announces changes of state only', () => {
    const status = () => screen.getByRole('status').textContent?.trim();
    const { rerender } = render(<Shell />);
    expect(status()).toBe('');
    rerender(<Shell stream={aLiveStream({ text: '', status: 'submitted' })} />);
    expect(status()).toBe('Asking');
    rerender(<Shell stream={aLiveStream({ text: 'One' })} />);
    expect(status()).toBe('Generating');
    rerender(<Shell stream={aLiveStream({ text: 'One two three' })} />);
    expect(status()).toBe('Generating');
    rerender(<Shell stream={anEndedStream({ text: 'One two three four' })} />);
    expect(status()).toBe('Answer complete, 4 words');
    rerender(<Shell stream={anEndedStream({ isComplete: false, finishReason: 'cancelled' })} />);
    expect(status()).toBe('Stopped');
    expect(wireState()).toBe('stopped');
    rerender(<Shell stream={anEndedStream({ finishReason: 'length' })} />);
    expect(status()).toBe('This answer hit the length limit');
    rerender(<Shell stream={anEndedStream({ finishReason: 'repetition' })} />);
    expect(status()).toBe('The model began to repeat itself. The answer was stopped there.');
  });

  test('an answer that was complete before the page opened is not announced', () => {
    render(<Shell stream={anEndedStream()} />);
    expect(screen.getByRole('status').textContent?.trim()).toBe('');
  });

  test('the facts are a list, and the details name the model, its speed and the transport', () => {
    const metrics = { firstTokenMs: 312, tokensPerSecond: 41.7, reconnects: 0 };
    render(<Shell stream={anEndedStream({ metrics })} isDemoModel facts={<li>3 steps</li>} />);
    const textsOf = (css: string) => [...document.querySelectorAll(css)].map((each) => each.textContent);
    expect(textsOf('.facts-list > li')).toEqual(['Ask a question', '3 steps']);
    expect(textsOf('.facts-origin')).toEqual(['A small demo model: answers may be wrong.']);
    expect(textsOf('.facts dl > div')).toEqual([
      'BlockAsk a question',
      'Modelsmollm2-135m',
      'Started in0.3 s',
      'Speed42 tokens/s',
      'ConnectionSSE',
    ]);
  });

  test.each([
    [0.02, '0.1 tokens/s'],
    [0.96, '1.0 tokens/s'],
    [9.96, '10 tokens/s'],
  ])('a speed of %s is shown as %s', (tokensPerSecond, words) => {
    const metrics = { firstTokenMs: 312, tokensPerSecond, reconnects: 0 };
    render(<Shell stream={anEndedStream({ metrics })} />);
    expect(screen.getByText(words)).toBeTruthy();
  });

  test.each([Infinity, Number.NaN, 0, undefined])('a speed of %s is not shown', (tokensPerSecond) => {
    const metrics = { firstTokenMs: 312, tokensPerSecond, reconnects: 0 };
    render(<Shell stream={anEndedStream({ metrics })} />);
    expect(document.querySelector('.facts')?.textContent).not.toContain('tokens/s');
  });

  test('Stop keeps its place when the connection is lost', () => {
    const { rerender } = render(<Shell stream={aLiveStream()} />);
    const first = () => document.querySelector('.tools button')?.textContent;
    expect(first()).toContain('Stop');
    rerender(<Shell stream={aLiveStream({ status: 'reconnecting' })} />);
    expect([first(), button('Try now') !== null]).toEqual([expect.stringContaining('Stop'), true]);
  });

  test('a stopped answer says so; a long prompt is cut until it is opened', async () => {
    const prompt = 'word '.repeat(100).trim();
    render(<Shell stream={anEndedStream({ isComplete: false, finishReason: 'cancelled', prompt })} />);
    expect(screen.getByText('Stopped before it was finished.')).toBeTruthy();
    const title = screen.getByRole('heading', { level: 1 });
    expect(title.textContent).toBe(`${'word '.repeat(40).trim()}…`);
    await userEvent.click(screen.getByRole('button', { name: 'Show all', expanded: false }));
    expect(title.textContent).toBe(prompt);
    expect(screen.getByRole('button', { name: 'Show less', expanded: true })).toBeTruthy();
  });

  test('what an answer lacks is asked for with the same input, and a refusal keeps what is there', async () => {
    const stream = anEndedStream({ finishReason: 'length' });
    const { rerender } = render(<Shell stream={stream} more="Continue" />);
    await userEvent.click(screen.getByRole('button', { name: 'Continue' }));
    expect(stream.submit).toHaveBeenCalledWith(sent({ prompt: 'Why is the sky blue?', options: {}, continues: stream.streamId }));
    const error = { code: 'invalid_input', message: 'It can’t be continued.', isRetryable: false, field: 'continues' };
    const earlier = [{ streamId: 'first', continues: undefined, text: 'Because', items: [] }];
    const refused = { text: '', streamId: undefined, continues: 'first', earlier, error, status: 'error' as const };
    rerender(<Shell stream={anEndedStream({ isComplete: false, finishReason: 'error', ...refused })} />);
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(screen.getByRole('alert').textContent).toContain('It can’t be continued.');
  });

  test('an unusable continuation leaves what came before as it was', () => {
    const error = { code: 'empty_answer', message: 'The model returned an empty answer.', isRetryable: true };
    const earlier = [{ streamId: 'first', continues: undefined, text: 'Because', items: [] }];
    const ended = { text: '', continues: 'first', earlier, error, isComplete: false, finishReason: 'error' as const };
    render(<Shell stream={anEndedStream(ended)} copies={[{ words: 'Copy text', act: vi.fn() }]} />);
    expect(button('Copy')).not.toBeNull();
  });

  test('an answer whose beginning was deleted says so', () => {
    render(<Shell stream={anEndedStream({ continues: 'gone' })} />);
    expect(screen.getByText('The beginning of this answer was deleted.')).toBeTruthy();
  });
});
