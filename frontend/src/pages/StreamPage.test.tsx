import { cleanup, screen, within } from '@testing-library/react';
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
afterEach(cleanup);

describe('a stream’s page', () => {
  it('opens an existing answer', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    show(api, '/streams/s1');
    expect(await screen.findByText('Because they are content.')).toBeTruthy();
    await vi.waitFor(() => expect(document.title).toBe('Why do cats purr? – Live AI Blocks'));
  });

  it('opens an answer of a deleted block too', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', block_type: 'old', result: { title: 'x', nodes: [], edges: [] } })];
    show(api, '/streams/s1');
    expect((await screen.findByTestId('block')).dataset['output']).toBe('diagram');
    expect(screen.getByText(/was removed/)).toBeTruthy();
  });

  it('explains that there is no such stream, and offers links', async () => {
    show(new FakeApi(), '/streams/s1');
    expect(await screen.findByRole('heading', { name: 'Answer not found' })).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Ask something' }).getAttribute('href')).toBe('/');
    expect(screen.queryByRole('button', { name: 'Copy link' })).toBeNull();
  });

  it('tries again after another failure', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    vi.spyOn(api, 'stream').mockRejectedValueOnce(refusal('store_unavailable', 503, 'The database is away.'));
    show(api, '/streams/s1');
    expect((await screen.findByRole('alert')).textContent).toContain('The database is away.');
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Because they are content.')).toBeTruthy();
  });

  it('opens by itself when the server is back, and denies no answer meanwhile', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    const unreachable = new ApiError({ code: 'unreachable', message: 'The server can’t be reached.', isRetryable: true }, 0);
    vi.spyOn(api, 'stream').mockRejectedValueOnce(unreachable);
    api.isAliveNow = false;
    show(api, '/streams/s1');
    expect((await screen.findByRole('alert')).textContent).toContain('The server can’t be reached.');
    expect(document.title).not.toMatch(/no such/iu);
    api.isAliveNow = true;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await screen.findByText('Because they are content.')).toBeTruthy();
    vi.useRealTimers();
  });

  it('leads somebody who was signed out to signing in', async () => {
    const api = new FakeApi();
    vi.spyOn(api, 'stream').mockRejectedValue(refusal('not_authenticated', 401, 'Authentication required.'));
    show(api, '/streams/s1', { ...NOBODY, loginUrl: '/login?next=/' });
    expect((await screen.findByRole('alert')).textContent).toContain('Sign in to see this answer');
    expect(within(screen.getByRole('alert')).getByRole('link', { name: 'Sign in' }).getAttribute('href')).toContain('/login?next=');
  });

  it('tells somebody who is signed out that an answer may be behind an account', async () => {
    show(new FakeApi(), '/streams/s1', { ...NOBODY, loginUrl: '/login?next=/' });
    expect(await screen.findByText('If you asked with your account, sign in to see it.')).toBeTruthy();
    expect(within(screen.getByRole('main')).getByRole('link', { name: 'Sign in' })).toBeTruthy();
  });

  it('does not send somebody to sign in who is signed in', async () => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, user: { username: 'ada' } };
    show(api, '/streams/s1', { ...NOBODY, user: 'ada', loginUrl: '/login?next=/' });
    expect(await screen.findByRole('heading', { name: 'Answer not found' })).toBeTruthy();
    expect(screen.queryByRole('link', { name: 'Sign in' })).toBeNull();
  });

  it('gives the block its link', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    show(api, '/streams/s1');
    expect(await screen.findByText(`${location.origin}/streams/s1`)).toBeTruthy();
  });

  it('loads the answers that it continues, up to one that was deleted', async () => {
    const api = new FakeApi();
    api.streamsNow = [
      stream({ stream_id: 's3', text: 'third', continues: 's2' }),
      stream({ stream_id: 's2', text: 'second', continues: 's1' }),
    ];
    show(api, '/streams/s3');
    await screen.findByText('third');
    expect([...document.querySelectorAll('[data-testid=block] > p')].map((each) => each.textContent)).toEqual(['second', 'third']);
  });

  const askToDelete = async (words: string) => {
    await userEvent.click(await screen.findByRole('button', { name: 'More' }));
    await userEvent.click(screen.getByRole('menuitem', { name: `${words}…` }));
    await userEvent.click(screen.getByRole('button', { name: words }));
  };

  it('is deleted after confirmation with all its streams, and leads to the history', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's2', continues: 's1' }), stream({ stream_id: 's1' })];
    const { history } = show(api, '/streams/s2');
    await askToDelete('Delete');
    expect(await screen.findByRole('heading', { name: 'History' })).toBeTruthy();
    expect(api.streamsNow).toEqual([]);
    expect(api.calls.filter((call) => call.startsWith('remove'))).toEqual(['remove s2', 'remove s1']);
    expect(history).toEqual(['/history']);
  });

  it('is stopped before it is deleted while it runs', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1', status: 'running' })];
    show(api, '/streams/s1');
    await askToDelete('Stop and delete');
    expect(await screen.findByRole('heading', { name: 'History' })).toBeTruthy();
    expect(api.calls.filter((call) => /^(cancel|remove)/u.test(call))).toEqual(['cancel s1', 'remove s1']);
  });

  it('has a menu for the stream that was asked for on it', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    show(api, '/streams/s1');
    await userEvent.click(await screen.findByRole('button', { name: 'start' }));
    expect(screen.getByText(`${location.origin}/streams/started-here`)).toBeTruthy();
  });
});
