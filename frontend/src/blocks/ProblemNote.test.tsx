import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';

import { BlockShell } from './BlockShell';
import { ProblemNote } from './ProblemNote';
import { aBlock, anEndedStream } from './shellFixtures';
import { Tools } from './Tools';

afterEach(cleanup);

const nothing = () => undefined;
const refused = (message: string) =>
  anEndedStream({
    status: 'error',
    finishReason: 'error',
    error: { code: 'refused', message, isRetryable: false },
  });

test('a refusal is shown in the model’s own words, and not as a failure of ours', () => {
  const words = 'I’m sorry, but I can’t help with that';
  render(<ProblemNote stream={refused(words)} hasContent={false} />);
  const note = screen.getByRole('alert');
  expect([...note.querySelectorAll('p')].map((each) => each.textContent?.trim())).toEqual([
    'The model declined to answer.',
    words,
  ]);
  expect(note.querySelector('.refusal-words')?.getAttribute('dir')).toBe('auto');
  expect(note.className).not.toContain('bad');
  expect(note.textContent).not.toMatch(/wrong|refused/u);
});

test('a refusal without an answer takes its place beside the wire', () => {
  const stream = { ...refused('No.'), text: '' };
  render(
    <BlockShell block={aBlock()} stream={stream}>
      <p>never shown</p>
    </BlockShell>,
  );
  expect(document.querySelector('.answer')?.textContent).toBe('The model declined to answer. No.');
  expect(screen.getAllByRole('alert')).toHaveLength(1);
});

test('a refusal after part of an answer says that it is kept', () => {
  render(<ProblemNote stream={refused('No.')} hasContent />);
  expect(screen.getByRole('alert').textContent).toContain('What was written is kept.');
});

test('a refusal without words of the model says it once', () => {
  render(<ProblemNote stream={refused('The model declined to answer.')} hasContent={false} />);
  expect(screen.getByRole('alert').textContent?.trim()).toBe('The model declined to answer.');
});

test('a refusal is not offered as something to try again', () => {
  render(<Tools stream={refused('No.')} onStop={nothing} onRetry={nothing} onAgain={nothing} onElse={nothing} copies={[]} downloads={[]} />);
  expect(screen.getAllByRole('button').map((each) => each.textContent)).toEqual(['Regenerate', 'Ask something else']);
  expect(document.querySelector('.button-strong')).toBeNull();
});

test.each(['invalid_output', 'empty_answer'])('nothing is called kept of an unusable answer: %s', (code) => {
  const error = { code, message: 'The model returned an empty answer.', isRetryable: true };
  render(<ProblemNote stream={anEndedStream({ status: 'error', finishReason: 'error', error })} hasContent />);
  expect(screen.getByRole('alert').textContent).not.toContain('kept');
});

test('a continuation of a deleted answer says so, and calls nothing kept', () => {
  const error = { code: 'not_found', message: 'There is no such stream.', isRetryable: false };
  const stream = anEndedStream({ status: 'error', finishReason: 'error', error, streamId: undefined, continues: 'gone' });
  render(<ProblemNote stream={stream} hasContent />);
  expect(screen.getByRole('alert').textContent).toContain('This answer was deleted, so it can’t be continued.');
  expect(screen.getByRole('alert').textContent).not.toContain('kept');
});

test('a refused continuation does not speak of a question', () => {
  const error = { code: 'over_capacity', message: 'The server is full', isRetryable: true };
  const stream = anEndedStream({ status: 'error', finishReason: 'error', error, streamId: undefined, continues: 'first' });
  render(<ProblemNote stream={stream} hasContent />);
  expect(screen.getByRole('alert').textContent).toBe('The server is full. What was written is kept. over_capacity');
});
