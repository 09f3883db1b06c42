import { act, cleanup, fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '@liveai/client';
import { NOBODY } from './boot';
import { CONFIG, FakeApi, refusal, show, stream } from './fixtures';

vi.mock('../blocks', async (load) => ({
  ...(await load<typeof import('../blocks')>()),
  BlockFor: (await import('./StubBlock')).StubBlock,
}));

beforeEach(() => {
  vi.spyOn(window, 'scrollTo').mockImplementation(() => {});
});
afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
  delete document.documentElement.dataset['theme'];
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the frame', () => {
  it('says what is wrong when the server fails, and tries again', async () => {
    const api = new FakeApi();
    api.configNow = refusal('store_unavailable', 503, 'The database is away.');
    show(api);
    expect((await screen.findByRole('alert')).textContent).toContain('The database is away. store_unavailable');
    api.configNow = CONFIG;
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('heading', { name: 'What would you like to understand?' })).toBeTruthy();
  });

  it('offers to sign in if that is what is missing', async () => {
    const api = new FakeApi();
    api.configNow = refusal('not_authenticated', 401);
    show(api, '/', { ...NOBODY, loginUrl: '/admin/login/' });
    expect((await screen.findByRole('link', { name: 'Sign in' })).getAttribute('href')).toBe('/admin/login/');
  });

  it('lists each block and the history in the rail, and marks the current one', async () => {
    show(new FakeApi(), '/blocks/quiz');
    const nav = await screen.findByRole('navigation');
    expect([...nav.querySelectorAll('a')].map((a) => a.textContent)).toEqual([
      'Ask a question',
      'Quiz',
      'Diagram',
      'History',
    ]);
    expect(screen.getByRole('link', { current: 'page' }).textContent).toBe('Quiz');
  });

  it('marks the block that a stream belongs to', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', block_type: 'diagram' })];
    show(api, '/streams/s1');
    expect((await screen.findByRole('link', { current: true })).textContent).toBe('Diagram');
  });

  it.each([
    ['Live over SSE', {}],
    ['Live over WebSocket', { backend: 'websocket' as const }],
    ['Streaming is off: answers appear when finished', { enabled: false }],
  ])('says “%s”', async (words, streaming) => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, streaming: { ...CONFIG.streaming, ...streaming } };
    show(api);
    expect(await screen.findByText(words)).toBeTruthy();
  });

  it('shows within half a minute what the admin changed', async () => {
    vi.useFakeTimers();
    const api = new FakeApi();
    show(api);
    await act(() => vi.advanceTimersByTimeAsync(10));
    expect(screen.getByText('Live over SSE')).toBeTruthy();
    api.configNow = { ...CONFIG, streaming: { ...CONFIG.streaming, enabled: false, message: 'Back at noon.' } };
    await act(() => vi.advanceTimersByTimeAsync(30_000));
    expect(screen.getByText('Streaming is off: answers appear when finished')).toBeTruthy();
    expect(screen.getByText('Back at noon.')).toBeTruthy();
  });

  it('shows what the admin changed as soon as the tab is visible again', async () => {
    const api = new FakeApi();
    show(api);
    await screen.findByText('Live over SSE');
    api.configNow = { ...CONFIG, streaming: { ...CONFIG.streaming, backend: 'websocket' } };
    fireEvent(document, new Event('visibilitychange'));
    expect(await screen.findByText('Live over WebSocket')).toBeTruthy();
  });

  it.each(['/', '/blocks/quiz', '/history', '/nowhere'])('shows the operator’s message at the top of %s', async (path) => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, streaming: { ...CONFIG.streaming, message: 'Back at noon.' } };
    show(api, path);
    const message = await screen.findByText('Back at noon.');
    expect(screen.getByRole('main').firstElementChild).toBe(message);
  });

  it('says in words that everything is stopped, before the operator’s message', async () => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, streaming: { ...CONFIG.streaming, paused: true, message: 'Back at noon.' } };
    show(api);
    const words = 'New answers are paused for now. You can still read the ones you have. Back at noon.';
    expect(await screen.findByText(words)).toBeTruthy();
  });

  it('says in its foot that the server is away, asks gently, and comes back by itself', async () => {
    vi.useFakeTimers();
    const api = new FakeApi();
    show(api);
    await act(() => vi.advanceTimersByTimeAsync(10));
    expect(api.calls).not.toContain('isAlive');
    const configs = () => api.calls.filter((call) => call === 'config').length;
    api.isAliveNow = false;
    api.configNow = new ApiError({ code: 'unreachable', message: 'Away.', isRetryable: true }, 0);
    await act(() => vi.advanceTimersByTimeAsync(30_100));
    expect(screen.getByText('The server can’t be reached').dataset['state']).toBe('lost');
    const before = api.calls.filter((call) => call === 'isAlive').length;
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(api.calls.filter((call) => call === 'isAlive').length - before).toBeLessThan(10);
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    const { length } = api.calls;
    await act(() => vi.advanceTimersByTimeAsync(120_000));
    expect(api.calls.length - length).toBeLessThan(2); // the request that was due
    vi.restoreAllMocks();
    api.isAliveNow = true;
    api.configNow = CONFIG;
    const asked = configs();
    fireEvent(document, new Event('visibilitychange'));
    await act(() => vi.advanceTimersByTimeAsync(100));
    expect(screen.getByText('Live over SSE').dataset['state']).toBe('live');
    expect(configs()).toBeGreaterThan(asked);
  });

  it('does not call a server lost that answers without a network, nor blames the network when it stops', async () => {
    const api = new FakeApi();
    show(api);
    await screen.findByText('Live over SSE');
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    fireEvent(window, new Event('offline'));
    await waitFor(() => expect(api.calls).toContain('isAlive'));
    await act(() => Promise.resolve());
    expect(screen.getByText('Live over SSE')).toBeTruthy();
    api.isAliveNow = false;
    fireEvent(window, new Event('offline'));
    expect(await screen.findByText('The server can’t be reached')).toBeTruthy();
  });

  it('notices a server that accepts requests and answers none', async () => {
    vi.useFakeTimers();
    const api = new FakeApi();
    show(api);
    await act(() => vi.advanceTimersByTimeAsync(10));
    vi.spyOn(api, 'config').mockReturnValue(new Promise(() => undefined));
    vi.spyOn(api, 'isAlive').mockReturnValue(new Promise(() => undefined));
    await act(() => vi.advanceTimersByTimeAsync(50_000));
    expect(screen.getByText('The server can’t be reached').dataset['state']).toBe('lost');
  });

  it('a block that is switched off meanwhile keeps its page: the answer and the draft stay', async () => {
    const api = new FakeApi();
    show(api, '/blocks/quiz');
    const { dataset } = await screen.findByTestId('block');
    const { mount } = dataset;
    api.blocksNow = api.blocksNow.filter(({ slug }) => slug !== 'quiz');
    fireEvent(document, new Event('visibilitychange'));
    expect(await screen.findByText(/no longer here/u)).toBeTruthy();
    expect(screen.getByTestId('block').dataset['mount']).toBe(mount);
    expect(document.title).not.toMatch(/no such/iu);
  });

  it('says that the browser is offline, until the network is back', async () => {
    const api = new FakeApi();
    show(api);
    await screen.findByText('Live over SSE');
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    api.isAliveNow = false;
    fireEvent(window, new Event('offline'));
    expect(await screen.findByText('You’re offline')).toBeTruthy();
    api.isAliveNow = true;
    fireEvent(window, new Event('online'));
    expect(await screen.findByText('Live over SSE')).toBeTruthy();
  });

  it('loads by itself when the server comes back', async () => {
    const api = new FakeApi();
    api.isAliveNow = false;
    api.configNow = new ApiError({ code: 'unreachable', message: 'Away.', isRetryable: true }, 0);
    show(api);
    expect((await screen.findByRole('alert')).textContent).toContain('Away.');
    api.isAliveNow = true;
    api.configNow = CONFIG;
    fireEvent(window, new Event('online'));
    expect(await screen.findByText('Live over SSE')).toBeTruthy();
  });

  it('offers to sign in when the session of the page has ended', async () => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, user: { username: 'ada' } };
    show(api, '/history', { ...NOBODY, user: 'ada', isAdmin: true, loginUrl: '/admin/login/?next=%2F' });
    expect(await screen.findByRole('link', { name: 'Admin' })).toBeTruthy();
    api.configNow = CONFIG;
    fireEvent(document, new Event('visibilitychange'));
    const link = await screen.findByRole('link', { name: 'Sign in' });
    expect(link.getAttribute('href')).toBe('/admin/login/?next=%2Fhistory');
  });

  it('keeps its data when a refresh fails', async () => {
    const api = new FakeApi();
    show(api);
    await screen.findByText('Live over SSE');
    api.configNow = refusal('store_unavailable', 503);
    fireEvent(document, new Event('visibilitychange'));
    await act(() => Promise.resolve());
    expect(screen.getByText('Live over SSE')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('tells visitors that the demo model may be wrong, without advice that they can’t follow', async () => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, demo_model: true };
    show(api);
    expect(await screen.findByText(/a small demo model: answers may be wrong/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Use a better model' })).toBeNull();
    expect(document.body.textContent).not.toContain('.env');
  });

  it('tells staff how to use a better model', async () => {
    HTMLDialogElement.prototype.showModal ??= () => {};
    const open = vi.spyOn(HTMLDialogElement.prototype, 'showModal').mockImplementation(function (this: HTMLDialogElement) {
      this.open = true;
    });
    const api = new FakeApi();
    api.configNow = { ...CONFIG, demo_model: true };
    show(api, '/', { ...NOBODY, user: 'ada', isAdmin: true, loginUrl: null });
    await userEvent.click(await screen.findByRole('button', { name: 'Use a better model' }));
    expect(open).toHaveBeenCalled();
    expect(screen.getByRole('dialog').textContent).toContain('AI_MODEL=openai:llama3.2');
  });

  it('says nothing about demos with another model', async () => {
    show(new FakeApi());
    expect(await screen.findByText('smollm2-135m')).toBeTruthy();
    expect(screen.queryByText(/demo model/)).toBeNull();
  });

  it('puts the chosen theme on the page and keeps it', async () => {
    show(new FakeApi());
    await userEvent.click(await screen.findByRole('button', { name: 'Dark' }));
    expect(document.documentElement.dataset['theme']).toBe('dark');
    expect(localStorage.getItem('theme')).toBe('dark');
    await userEvent.click(screen.getByRole('button', { name: 'System theme' }));
    expect(document.documentElement.dataset['theme']).toBeUndefined();
    expect(localStorage.getItem('theme')).toBeNull();
  });

  it('leaves the focus alone at first, and moves it to the heading after a navigation', async () => {
    show(new FakeApi());
    await screen.findByRole('heading', { level: 1 });
    expect(document.activeElement).toBe(document.body);
    await userEvent.click(screen.getByRole('link', { name: 'History' }));
    const heading = await screen.findByRole('heading', { level: 1, name: 'History' });
    expect(document.activeElement).toBe(heading);
    expect(document.title).toBe('History – Live AI Blocks');
    expect(window.scrollTo).toHaveBeenCalledWith(0, 0);
  });

  it('reports an unknown page and an unknown block', async () => {
    const { navigate } = show(new FakeApi(), '/nowhere');
    expect(await screen.findByRole('heading', { name: 'Page not found' })).toBeTruthy();
    act(() => navigate('/blocks/gone'));
    expect(await screen.findByRole('heading', { name: 'This block doesn’t exist' })).toBeTruthy();
  });
});

describe('a block’s address', () => {
  it('becomes the stream’s while the block stays mounted', async () => {
    const { history } = show(new FakeApi(), '/blocks/quiz');
    const before = (await screen.findByTestId('block')).dataset['mount'];
    await userEvent.click(screen.getByRole('button', { name: 'start' }));
    expect(history).toEqual(['/blocks/quiz', '/streams/started-here']);
    expect(screen.getByTestId('block').dataset['mount']).toBe(before);
    expect(document.title).toBe('Typed here – Live AI Blocks');
    expect(screen.getByRole('button', { name: 'More' })).toBeTruthy();
  });

  it('is the composer’s again, in a new block, after Back', async () => {
    const { navigate } = show(new FakeApi(), '/blocks/quiz');
    const before = (await screen.findByTestId('block')).dataset['mount'];
    await userEvent.click(screen.getByRole('button', { name: 'start' }));
    act(() => navigate('/blocks/quiz'));
    expect(screen.getByRole('heading', { level: 1, name: 'Quiz' })).toBeTruthy();
    expect(screen.getByTestId('block').dataset['mount']).not.toBe(before);
  });

  it('is the block’s own when something else is to be asked', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', block_type: 'quiz' })];
    const { history } = show(api, '/streams/s1');
    const before = (await screen.findByTestId('block')).dataset['mount'];
    await userEvent.click(screen.getByRole('button', { name: 'ask else' }));
    expect(history.at(-1)).toBe('/blocks/quiz');
    expect(screen.getByTestId('block').dataset['mount']).toBe(before);
    expect(document.title).toBe('Quiz – Live AI Blocks');
  });
});
