import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { ApiError, type Config } from '@liveai/client';
import { aBlock } from '../blocks/shellFixtures';
import { Embedded } from './Embedded';
import { readPlace } from './place';

afterEach(cleanup);

const CONFIG: Config = {
  streaming: { enabled: true, backend: 'sse', fallback: true, message: '' },
  limits: {},
  user: null,
  demo_model: false,
  csrf_token: null,
};

const api = { config: async () => CONFIG, blocks: async () => [aBlock({ slug: 'ask-question' })] };

test('a prompt is asked at once only where the tag says so', () => {
  const data = { aiBlock: 'quiz', prompt: 'The Moon', options: '{"questions":3}' };
  expect(readPlace({ ...data, asks: 'true' })).toEqual({
    slug: 'quiz',
    ask: { prompt: 'The Moon', options: { questions: 3 } },
  });
  expect(readPlace(data)).toEqual({ slug: 'quiz', prompt: 'The Moon' });
  expect(readPlace({ aiBlock: 'quiz', asks: 'true' })).toEqual({ slug: 'quiz', prompt: '' });
});

test.each(['{', '[1]', '"x"', 'null'])('options that are %s are left out', (options) => {
  expect(readPlace({ aiBlock: 'quiz', prompt: 'x', asks: 'true', options }).ask?.options).toEqual({});
});

test('a block without a question shows its composer with the text', async () => {
  render(<Embedded api={api} slug="ask-question" prompt="Why?" />);
  expect(await screen.findByDisplayValue('Why?')).toBeTruthy();
});

test('a block that does not exist, and a refusal, are said in words', async () => {
  render(<Embedded api={api} slug="gone" />);
  expect((await screen.findByRole('alert')).textContent).toBe('This block doesn’t exist.');
  cleanup();
  const refused = new ApiError({ code: 'not_authenticated', message: 'Sign in first.', isRetryable: false }, 401);
  render(<Embedded api={{ ...api, config: () => Promise.reject(refused) }} slug="gone" />);
  expect((await screen.findByRole('alert')).textContent).toBe('Sign in first.');
});
