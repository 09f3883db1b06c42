import { cleanup, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { BLOCKS, FakeApi, show, stream } from './fixtures';

vi.mock('../blocks', async (load) => ({
  ...(await load<typeof import('../blocks')>()),
  BlockFor: (await import('./StubBlock')).StubBlock,
}));

const SAMPLES: Record<string, string> = { quiz: 'Quiz', 'ask-question': 'Explanation' };

function withSamples(): FakeApi {
  const api = new FakeApi();
  api.blocksNow = BLOCKS.map((block) => {
    const label = SAMPLES[block.slug];
    return { ...block, samples: label ? [{ name: `a-${block.slug}`, label, prompt: `${label}?` }] : [] };
  });
  return api;
}

beforeEach(() => {
  vi.spyOn(window, 'scrollTo').mockImplementation(() => {});
});
afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});

it('shows a sample at one click, and keeps what was typed', async () => {
  const { history, navigate } = show(withSamples());
  await userEvent.type(await screen.findByRole('textbox'), 'Half a question');
  await userEvent.click(screen.getByRole('button', { name: 'Explanation' }));
  const asked = await screen.findByText(/^asks /);
  expect(asked.textContent).toBe('asks {"prompt":"Explanation?","sample":"a-ask-question"}');
  expect(history).toEqual(['/', '/blocks/ask-question']);
  navigate('/');
  expect((await screen.findByRole<HTMLTextAreaElement>('textbox')).value).toBe('Half a question');
});

it('names the drawn ones first', async () => {
  show(withSamples());
  const line = await screen.findByText(/^See a sample:/);
  expect(line.textContent).toBe('See a sample: Quiz · Explanation');
});

it('is not there if the server lists no sample', async () => {
  show(new FakeApi());
  await screen.findByRole('textbox');
  expect(screen.queryByText(/See a sample/)).toBeNull();
});

it('marks a sample, and nothing else, in the lists', async () => {
  const api = withSamples();
  api.streamsNow = [
    stream({ stream_id: 's1', prompt: 'Quiz?', sample: 'a-quiz', model: 'sample' }),
    stream({ stream_id: 's2', prompt: 'Cats' }),
  ];
  show(api, '/history');
  await screen.findByText('Cats');
  const rows = screen.getAllByRole('listitem').map((row) => row.textContent);
  expect(rows.filter((words) => words.includes('Sample'))).toHaveLength(1);
  expect(rows.find((words) => words.includes('Quiz?'))).toContain('Sample');
});
