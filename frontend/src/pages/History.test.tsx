import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { answersKey, saveAnswers } from '../blocks';
import { NOBODY } from './boot';
import { FakeApi, refusal, show, stream } from './fixtures';

vi.mock('../blocks', async (load) => ({
  ...(await load<typeof import('../blocks')>()),
  BlockFor: (await import('./StubBlock')).StubBlock,
}));

const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString();

beforeEach(() => {
  vi.spyOn(window, 'scrollTo').mockImplementation(() => {});
});
afterEach(() => {
  cleanup();
  localStorage.clear();
  vi.useRealTimers();
});

function withSome(): FakeApi {
  const api = new FakeApi();
  api.streamsNow = [
    stream({ stream_id: 's1', prompt: 'How bread is baked', block_type: 'diagram' }),
    stream({ stream_id: 's2', prompt: 'The planets', block_type: 'quiz', created_at: daysAgo(1) }),
    stream({
      stream_id: 's3',
      prompt: 'Monads',
      status: 'error',
      error: { code: 'provider_unavailable', message: 'x', retryable: true },
      created_at: daysAgo(1),
    }),
  ];
  return api;
}

const prompts = () => [...document.querySelectorAll('.row-prompt')].map((row) => row.textContent);

describe('history', () => {
  it('groups answers by day', async () => {
    show(withSome(), '/history');
    const today = await screen.findByRole('region', { name: 'Today' });
    expect(today.textContent).toContain('How bread is baked');
    const yesterday = screen.getByRole('region', { name: 'Yesterday' });
    expect(yesterday.textContent).toContain('The planets');
    expect(yesterday.textContent).toContain('model unavailable');
  });

  it('leads to the page for all answers, also while there are none', async () => {
    for (const api of [withSome(), new FakeApi()]) {
      show(api, '/history', { ...NOBODY, dataUrl: '/account/data/' });
      const link = await screen.findByRole('link', { name: 'Your data' });
      expect(link.getAttribute('href')).toBe('/account/data/');
      cleanup();
    }
    show(withSome(), '/history');
    await screen.findByRole('region', { name: 'Today' });
    expect(screen.queryByRole('link', { name: 'Your data' })).toBeNull();
  });

  it('shows each prompt in its direction and language', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', prompt: 'למה?' }), stream({ stream_id: 's2', prompt: 'Why?' })];
    show(api, '/history');
    await screen.findByText('Why?');
    const rows = [...document.querySelectorAll<HTMLElement>('.row-prompt')];
    expect(rows.map(({ dir, lang }) => `${dir} ${lang}`)).toEqual(['rtl he', 'ltr ']);
    expect(screen.getByRole('searchbox').getAttribute('dir')).toBe('auto');
  });

  it('explains how to start if nothing was asked', async () => {
    show(new FakeApi(), '/history');
    expect(await screen.findByText(/No questions yet/)).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Ask something' })).toBeTruthy();
  });

  it('searches once typing pauses, not at every key', async () => {
    const api = withSome();
    const { history } = show(api, '/history');
    const field = await screen.findByRole('searchbox');
    await userEvent.type(field, 'planets');
    await screen.findByText('The planets');
    await vi.waitFor(() => expect(prompts()).toEqual(['The planets']));
    expect(api.calls.filter((call) => call.startsWith('streams'))).toHaveLength(2);
    expect(history.at(-1)).toContain('q=planets');
  });

  it('filters by kind and by state, also from the address', async () => {
    const api = withSome();
    show(api, '/history?status=error');
    await vi.waitFor(() => expect(prompts()).toEqual(['Monads']));
    await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Type' }), 'quiz');
    expect(await screen.findByText(/No matches. Try other words/)).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }));
    await vi.waitFor(() => expect(prompts()).toHaveLength(3));
  });

  it('never shows the response to a filter that is no longer set', async () => {
    const api = withSome();
    const real = api.streams.bind(api);
    let letSlowOneCome: (() => void) | undefined;
    const slowness = new Promise<void>((resolve) => {
      letSlowOneCome = resolve;
    });
    vi.spyOn(api, 'streams').mockImplementation(async (filter) => {
      if (filter?.status === 'error') await slowness;
      return real(filter);
    });
    show(api, '/history');
    await vi.waitFor(() => expect(prompts()).toHaveLength(3));
    const end = screen.getByRole('combobox', { name: 'Status' });
    await userEvent.selectOptions(end, 'error');
    await userEvent.selectOptions(end, 'complete');
    await vi.waitFor(() => expect(prompts()).toEqual(['How bread is baked', 'The planets']));
    await act(async () => letSlowOneCome?.());
    expect(prompts()).toEqual(['How bread is baked', 'The planets']);
  });

  it('shows more, each answer once', async () => {
    const api = new FakeApi();
    api.pageSize = 2;
    api.streamsNow = [1, 2, 3].map((n) => stream({ stream_id: `s${n}`, prompt: `Number ${n}` }));
    show(api, '/history');
    await userEvent.click(await screen.findByRole('button', { name: 'Show more' }));
    await vi.waitFor(() => expect(prompts()).toEqual(['Number 1', 'Number 2', 'Number 3']));
    expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
  });

  it('deletes only after confirmation, together with the quiz’s answers', async () => {
    const api = withSome();
    saveAnswers('s2', new Map([['q', 'a']]), { right: 1, answered: 1, total: 3 });
    show(api, '/history');
    await userEvent.click(await screen.findByRole('button', { name: 'Delete “The planets”' }));
    expect(document.activeElement?.textContent).toBe('Cancel');
    expect(api.calls).not.toContain('remove s2');
    await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
    await vi.waitFor(() => expect(prompts()).toEqual(['How bread is baked', 'Monads']));
    expect(api.calls).toContain('remove s2');
    expect(localStorage.getItem(answersKey('s2'))).toBeNull();
    expect(document.activeElement?.textContent).toContain('Monads');
  });

  it('keeps an answer if the confirmation is declined, also with Esc', async () => {
    const api = withSome();
    show(api, '/history');
    await userEvent.click(await screen.findByRole('button', { name: 'Delete “Monads”' }));
    await userEvent.keyboard('{Escape}');
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Delete “Monads”' }));
    expect(api.calls.some((call) => call.startsWith('remove'))).toBe(false);
  });

  it('says why an answer could not be deleted', async () => {
    const api = withSome();
    vi.spyOn(api, 'remove').mockRejectedValue(refusal('still_running', 409, 'Stop it first.'));
    show(api, '/history');
    await userEvent.click(await screen.findByRole('button', { name: 'Delete “Monads”' }));
    await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
    expect((await screen.findByRole('alert')).textContent).toBe('Stop it first.');
    expect(prompts()).toContain('Monads');
  });

  it('shows a quiz’s score as stored on the device', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's2', block_type: 'quiz', result: { title: 't', questions: [1, 2, 3] } })];
    saveAnswers('s2', new Map([['q', 'a']]), { right: 2, answered: 3, total: 3 });
    show(api, '/history');
    expect(await screen.findByText('2 of 3 right')).toBeTruthy();
  });

  it('polls running answers every 5 s, and stops when there are none', async () => {
    vi.useFakeTimers();
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', status: 'running', text: '' })];
    show(api, '/history');
    await act(() => vi.advanceTimersByTimeAsync(10));
    expect(screen.getByText('writing')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /^Delete/ })).toBeNull();
    api.streamsNow = [stream({ stream_id: 's1', text: 'one two' })];
    await act(() => vi.advanceTimersByTimeAsync(5_000));
    expect(screen.getByText('2 words')).toBeTruthy();
    const asked = api.calls.length;
    await act(() => vi.advanceTimersByTimeAsync(15_000));
    expect(api.calls.slice(asked).filter((call) => call.startsWith('streams'))).toEqual([]);
  });

  it('does not poll while the page is hidden', async () => {
    vi.useFakeTimers();
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', status: 'running' })];
    show(api, '/history');
    await act(() => vi.advanceTimersByTimeAsync(10));
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    const asked = api.calls.length;
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(api.calls).toHaveLength(asked);
  });

  it('searches further back by itself until something is found', async () => {
    const api = withSome();
    const real = api.streams.bind(api);
    vi.spyOn(api, 'streams').mockImplementation(async (filter) => {
      const pieces = Number(filter?.cursor ?? 0);
      return pieces < 3 ? { results: [], next: String(pieces + 1) } : real({ ...filter, cursor: undefined });
    });
    show(api, '/history?q=planets');
    await vi.waitFor(() => expect(prompts()).toEqual(['The planets']));
  });

  it('asks before it searches a very long history, and says what it knows so far', async () => {
    const api = new FakeApi();
    let calls = 0;
    vi.spyOn(api, 'streams').mockImplementation(async () => ({ results: [], next: String(++calls) }));
    show(api, '/history?q=planets');
    const further = await screen.findByRole('button', { name: 'Search older answers' });
    expect(screen.queryByText(/No matches. Try other words/)).toBeNull();
    const before = calls;
    vi.spyOn(api, 'streams').mockImplementation(async () => ({ results: [], next: null }));
    await userEvent.click(further);
    expect(await screen.findByText(/No matches. Try other words/)).toBeTruthy();
    expect(calls).toBe(before);
  });

  it('stops searching when the search changes', async () => {
    const api = withSome();
    const real = api.streams.bind(api);
    let old = 0;
    let goOn = () => {};
    const paused = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    vi.spyOn(api, 'streams').mockImplementation(async (filter) => {
      if (filter?.q !== 'nothing') return real(filter);
      old += 1;
      await paused;
      return { results: [], next: String(old) };
    });
    show(api, '/history?q=nothing');
    const field = await screen.findByRole('searchbox');
    fireEvent.change(field, { target: { value: 'bread' } });
    fireEvent.submit(field);
    await vi.waitFor(() => expect(prompts()).toEqual(['How bread is baked']));
    const before = old;
    await act(async () => goOn());
    expect(old).toBe(before);
  });

  it.each([
    ['rate_limited', 429, 'A similar request of yours is still in progress.'],
    ['over_capacity', 503, 'This is taking too long right now.'],
  ])('says in words why a search was refused: %s', async (code, status, message) => {
    const api = withSome();
    const refused = vi.spyOn(api, 'streams').mockRejectedValue(refusal(code, status, message));
    show(api, '/history?q=planets');
    expect((await screen.findByRole('alert')).textContent).toContain(message);
    refused.mockRestore();
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await vi.waitFor(() => expect(prompts()).toEqual(['The planets']));
  });

  it('limits the query to what the server accepts', async () => {
    show(withSome(), '/history');
    expect((await screen.findByRole('searchbox')).getAttribute('maxlength')).toBe('100');
  });

  it('asks to sign in, without filters and without a fault', async () => {
    const api = new FakeApi();
    vi.spyOn(api, 'streams').mockRejectedValue(refusal('not_authenticated', 401, 'Sign in first.'));
    show(api, '/history', { ...NOBODY, loginUrl: '/admin/login/' });
    await screen.findByText('Sign in to see your history.');
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.queryByRole('searchbox')).toBeNull();
    expect(screen.getAllByRole('link', { name: 'Sign in' })).toHaveLength(2);
  });

  it('takes the query from the field when Enter is pressed', async () => {
    const api = withSome();
    show(api, '/history');
    const field = await screen.findByRole('searchbox');
    fireEvent.change(field, { target: { value: ' bread ' } });
    fireEvent.submit(field);
    await vi.waitFor(() => expect(prompts()).toEqual(['How bread is baked']));
  });
});
