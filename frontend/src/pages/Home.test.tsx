import { act, cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { NOBODY } from './boot';
import { block, BLOCKS, CONFIG, FakeApi, show, stream } from './fixtures';

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
});

const field = () => screen.findByRole<HTMLTextAreaElement>('textbox');
const isChosen = (name: string) => screen.getByRole<HTMLInputElement>('radio', { name }).checked;

/** Two kinds that share one option, and have another of the same name with other values. */
function withOptions(): FakeApi {
  const optionsWith = (levels: string[]) => ({
    type: 'object',
    properties: { level: { type: 'string', enum: levels, default: levels[0] }, short: { type: 'boolean' } },
  });
  const api = new FakeApi();
  api.blocksNow = [
    block({ options: optionsWith(['child', 'adult']) }),
    block({ slug: 'quiz', title: 'Quiz', output: 'quiz', options: optionsWith(['easy', 'hard']) }),
  ];
  return api;
}

describe('home', () => {
  it('asks the chosen kind at once on that block’s page, and keeps the prompt out of the address', async () => {
    const { history } = show(new FakeApi());
    await userEvent.type(await field(), 'The planets');
    await userEvent.click(screen.getByRole('radio', { name: /Quiz/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Make quiz' }));
    expect(await screen.findByText(/^asks .*"prompt":"The planets"/)).toBeTruthy();
    expect(screen.getByTestId('block').dataset['output']).toBe('quiz');
    expect(history).toEqual(['/', '/blocks/quiz']);
  });

  it('keeps a question, its kind and its options until a stream has taken it', async () => {
    const { navigate } = show(withOptions());
    await userEvent.type(await field(), 'The planets');
    await userEvent.click(screen.getByRole('radio', { name: /Quiz/ }));
    await userEvent.click(screen.getByRole('radio', { name: 'hard' }));
    await userEvent.click(screen.getByRole('button', { name: 'Make quiz' }));
    expect(await screen.findByText(/^asks .*"level":"hard"/)).toBeTruthy();
    act(() => navigate('/'));
    expect((await field()).value).toBe('The planets');
    expect(isChosen('Quiz')).toBe(true);
    expect(isChosen('hard')).toBe(true);
  });

  it('keeps options that both kinds know, and each kind’s own when it returns', async () => {
    show(withOptions());
    await field();
    await userEvent.click(screen.getByRole('radio', { name: 'adult' }));
    await userEvent.click(screen.getByRole('checkbox', { name: 'Short' }));
    await userEvent.click(screen.getByRole('radio', { name: 'Quiz' }));
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'Short' }).checked).toBe(true);
    expect(isChosen('easy')).toBe(true); // "adult" is no level of a quiz
    await userEvent.click(screen.getByRole('radio', { name: 'hard' }));
    await userEvent.click(screen.getByRole('checkbox', { name: 'Short' }));
    await userEvent.click(screen.getByRole('radio', { name: 'Ask a question' }));
    expect(isChosen('adult')).toBe(true);
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'Short' }).checked).toBe(false);
    await userEvent.click(screen.getByRole('radio', { name: 'Quiz' }));
    expect(isChosen('hard')).toBe(true);
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

  it('asks an example of its kind at once, with the options kept for it', async () => {
    const { history, navigate } = show(withOptions());
    await userEvent.click(await screen.findByRole('radio', { name: 'Quiz' }));
    await userEvent.click(screen.getByRole('radio', { name: 'hard' }));
    await userEvent.click(screen.getByRole('radio', { name: 'Ask a question' }));
    await userEvent.type(await field(), 'Half a que');
    await userEvent.click(screen.getByRole('button', { name: 'Rivers' }));
    expect(await screen.findByText(/^asks .*Rivers.*"level":"hard"/)).toBeTruthy();
    expect(history).toEqual(['/', '/blocks/quiz']);
    act(() => navigate('/'));
    expect((await field()).value).toBe('Half a que');
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
    show(api, '/', { ...NOBODY, user: 'ada', isAdmin: true, loginUrl: null });
    expect(await screen.findByText(/No block is switched on/)).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Switch one on' })).toBeTruthy();
  });
});

describe('home, where only people with an account may ask', () => {
  const boot = { ...NOBODY, mustSignIn: true, loginUrl: '/account/login/?next=%2F', signUpUrl: '/account/signup/?next=%2F' };

  it('has a link to sign in where the button was, and keeps the question', async () => {
    const { unmount } = show(new FakeApi(), '/', boot);
    await userEvent.type(await field(), 'Why is the sky blue?');
    expect(screen.queryByRole('button', { name: 'Ask' })).toBeNull();
    expect(screen.getByRole('link', { name: 'Sign in to ask' }).getAttribute('href')).toBe('/account/login/?next=%2F');
    unmount();
    show(new FakeApi(), '/', { ...boot, user: 'ada' });
    expect((await field()).value).toBe('Why is the sky blue?');
  });

  it('follows that link on Enter, and asks nothing', async () => {
    const { history } = show(new FakeApi(), '/', boot);
    const followed = vi.fn((event: Event) => event.preventDefault());
    (await screen.findByRole('link', { name: 'Sign in to ask' })).addEventListener('click', followed);
    await userEvent.type(await field(), '{Enter}');
    expect(followed).not.toHaveBeenCalled();
    await userEvent.type(await field(), 'Why?{Enter}');
    expect(followed).toHaveBeenCalledOnce();
    expect(history).toEqual(['/']);
  });

  it('takes an example into the field', async () => {
    show(new FakeApi(), '/', boot);
    await userEvent.type(await field(), 'Half a que');
    await userEvent.click(screen.getByRole('button', { name: 'Rivers' }));
    expect((await field()).value).toBe('Rivers');
    expect(isChosen('Quiz')).toBe(true);
  });

  it('leads to a sign-up only where that is open', async () => {
    const { unmount } = show(new FakeApi(), '/', boot);
    await screen.findByRole('link', { name: 'Sign in to ask' });
    expect(within(screen.getByRole('main')).getByRole('link', { name: 'Sign up' })).toBeTruthy();
    unmount();
    show(new FakeApi(), '/', { ...boot, signUpUrl: null });
    await screen.findByRole('link', { name: 'Sign in to ask' });
    expect(screen.queryByRole('link', { name: 'Sign up' })).toBeNull();
  });

  it('asks as usual once somebody is signed in', async () => {
    const api = new FakeApi();
    api.configNow = { ...CONFIG, user: { username: 'ada' } };
    show(api, '/', { ...boot, user: 'ada' });
    expect(await screen.findByRole('button', { name: 'Ask' })).toBeTruthy();
    expect(screen.queryByRole('link', { name: 'Sign in to ask' })).toBeNull();
  });
});
