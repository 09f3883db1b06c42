import { cleanup, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeApi, refusal, show, stream } from './fixtures';

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
    expect(screen.getByText(/no longer here/)).toBeTruthy();
  });

  it('explains that there is no such stream, and offers links', async () => {
    show(new FakeApi(), '/streams/s1');
    expect(await screen.findByRole('heading', { name: 'There is no such answer here' })).toBeTruthy();
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

  it('copies its link', async () => {
    const user = userEvent.setup();
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    show(api, '/streams/s1');
    await user.click(await screen.findByRole('button', { name: 'Copy link' }));
    expect(await navigator.clipboard.readText()).toBe(`${location.origin}/streams/s1`);
    await vi.waitFor(() => expect(screen.getAllByRole('status').some((one) => one.textContent === 'Copied')).toBe(true));
  });

  it('is deleted after confirmation, and leads to the history', async () => {
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    const { history } = show(api, '/streams/s1');
    await userEvent.click(await screen.findByRole('button', { name: 'Delete “this answer”' }));
    await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByRole('heading', { name: 'History' })).toBeTruthy();
    expect(api.streamsNow).toEqual([]);
    expect(history).toEqual(['/history']);
  });

  it('has a menu for the stream that was asked for on it', async () => {
    const user = userEvent.setup();
    const api = new FakeApi();
    api.streamsNow = [stream({ stream_id: 's1' })];
    show(api, '/streams/s1');
    await user.click(await screen.findByRole('button', { name: 'start' }));
    await user.click(screen.getByRole('button', { name: 'Copy link' }));
    expect(await navigator.clipboard.readText()).toBe(`${location.origin}/streams/started-here`);
  });
});
