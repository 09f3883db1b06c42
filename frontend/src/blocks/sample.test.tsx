import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test } from 'vitest';
import { BlockShell } from './BlockShell';
import { aBlock, anEndedStream, aStream, sent } from './shellFixtures';
import type { ShownStream } from './shownStream';

afterEach(cleanup);

const ASKED = { prompt: 'Why is the sky blue?', sample: 'sky' };

function Shell({ stream }: { stream: ShownStream<string> }) {
  return (
    <BlockShell block={aBlock()} stream={stream} initialAsk={ASKED} isDemoModel>
      <p>{stream.text}</p>
    </BlockShell>
  );
}

test('a sample says what it is, and claims nothing of a model', () => {
  render(<Shell stream={anEndedStream({ sample: 'sky', model: 'sample' })} />);
  const facts = document.querySelector('.facts')?.textContent ?? '';
  expect(facts).toContain('Sample, written by hand');
  expect(facts).not.toMatch(/demo|wrong|tokens|first word/u);
});

test('Regenerate asks the model', async () => {
  const stream = anEndedStream({ sample: 'sky', model: 'sample' });
  render(<Shell stream={stream} />);
  await userEvent.click(screen.getByRole('button', { name: 'Regenerate' }));
  expect(stream.submit).toHaveBeenLastCalledWith(sent({ prompt: ASKED.prompt, options: {} }));
});

test('a sample that was refused is tried again', async () => {
  const error = { code: 'over_capacity', message: 'Full.', isRetryable: true };
  const stream = aStream({ status: 'error', error, input: { ...ASKED, blockType: 'ask-question' } });
  render(<Shell stream={stream} />);
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(stream.submit).toHaveBeenLastCalledWith(sent(ASKED));
});
