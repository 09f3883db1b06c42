import { act, cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BLOCKS, FakeApi, show, stream } from './fixtures';

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
});

const field = () => screen.findByRole<HTMLTextAreaElement>('textbox');

describe('home', () => {
  it('asks the chosen kind at once on that block’s page, and keeps the prompt out of the address', async () => {
    const { history } = show(new FakeApi());
    await userEvent.type(await field(), 'The planets');
    await userEvent.click(screen.getByRole('radio', { name: /Quiz/ }));
    await userEvent.click(screen.getByRole('button', { name: /^Ask/ }));
    expect(await screen.findByText(/^asks .*"prompt":"The planets"/)).toBeTruthy();
    expect(screen.getByTestId('block').dataset['output']).toBe('quiz');
    expect(history).toEqual(['/', '/blocks/quiz']);
  });

  it('starts empty after something was asked', async () => {
    const { navigate } = show(new FakeApi());
    await userEvent.type(await field(), 'The planets');
    await userEvent.click(screen.getByRole('button', { name: /^Ask/ }));
    act(() => navigate('/'));
    expect((await field()).value).toBe('');
  });

  it('keeps what was typed and not asked', async () => {
    const { navigate } = show(new FakeApi());
    await userEvent.type(await field(), 'The pla');
    act(() => navigate('/history'));
    act(() => navigate('/'));
    expect((await field()).value).toBe('The pla');
  });

  it('is where Back leads from an answer that was asked here', async () => {
    const { history } = show(new FakeApi());
    await userEvent.type(await field(), 'The planets');
    await userEvent.click(screen.getByRole('button', { name: /^Ask/ }));
    await userEvent.click(await screen.findByRole('button', { name: 'start' }));
    expect(history).toEqual(['/', '/streams/started-here']);
  });

  it('fills the field, and chooses the kind, from an example', async () => {
    show(new FakeApi());
    await userEvent.click(await screen.findByRole('button', { name: 'Rivers' }));
    expect((await field()).value).toBe('Rivers');
    expect(screen.getByRole<HTMLInputElement>('radio', { name: /Quiz/ }).checked).toBe(true);
  });

  it('has no example for a block that is switched off', async () => {
    const api = new FakeApi();
    api.blocksNow = BLOCKS.filter(({ slug }) => slug !== 'quiz');
    show(api);
    await field();
    expect(screen.queryByRole('button', { name: 'Rivers' })).toBeNull();
  });

  it('shows the six latest answers, each with its state', async () => {
    const api = new FakeApi();
    api.streamsNow = [
      stream({ stream_id: 's1', prompt: 'Bread', status: 'running' }),
      stream({ stream_id: 's2', prompt: 'Cats', text: 'one two three' }),
      stream({ stream_id: 's3', prompt: 'Black holes', status: 'cancelled' }),
      ...[4, 5, 6, 7].map((n) => stream({ stream_id: `s${n}`, prompt: `Number ${n}` })),
    ];
    show(api);
    const recent = within((await screen.findByRole('heading', { name: 'Recent' })).parentElement!);
    const rows = recent.getAllByRole('listitem').map((row) => row.textContent);
    expect(rows).toHaveLength(6);
    expect(rows[0]).toContain('writing');
    expect(rows[1]).toContain('3 words');
    expect(rows[2]).toContain('stopped');
  });

  it('shows no empty list to a new visitor', async () => {
    show(new FakeApi());
    await field();
    expect(screen.queryByRole('heading', { name: 'Recent' })).toBeNull();
  });

  it('says so if no block is switched on', async () => {
    const api = new FakeApi();
    api.blocksNow = [];
    show(api, '/', { user: 'ada', isAdmin: true, loginUrl: null });
    expect(await screen.findByText(/No block is switched on/)).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Switch one on' })).toBeTruthy();
  });
});
