/** A stream that waits for a place on a full server. */
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';

import { BlockShell } from './BlockShell';
import { inLineWords, ordinal } from './inLine';
import { aBlock, aLiveStream } from './shellFixtures';

afterEach(cleanup);

const inLine = (queuePlace: number | null) => aLiveStream({ text: '', status: 'submitted', queuePlace });

function Shell({ stream }: { stream: ReturnType<typeof aLiveStream> }) {
  return (
    <BlockShell block={aBlock()} stream={stream}>
      <p>{stream.text}</p>
    </BlockShell>
  );
}

const answer = () => document.querySelector('.answer')?.textContent;
const status = () => screen.getByRole('status').textContent?.trim();

test.each([
  [2, '2nd'],
  [3, '3rd'],
  [4, '4th'],
  [11, '11th'],
  [12, '12th'],
  [13, '13th'],
  [21, '21st'],
  [22, '22nd'],
  [111, '111th'],
  [1203, '1,203rd'],
])('the place %d is the %s', (place, words) => {
  expect(ordinal(place)).toBe(words);
});

test('the next one in line is called so', () => {
  expect(inLineWords(1)).toBe('Waiting for a free place – you are next in line');
});

test('the waiting place shows the place in line, beside a button that stops', () => {
  const { rerender } = render(<Shell stream={inLine(3)} />);
  expect(answer()).toBe('Waiting for a free place – you are 3rd in line.');
  expect(screen.getByRole('button', { name: 'Stop' })).toBeTruthy();
  rerender(<Shell stream={inLine(2)} />);
  expect(answer()).toBe('Waiting for a free place – you are 2nd in line.');
  rerender(<Shell stream={inLine(null)} />);
  expect(answer()).toBe('Reading the question…');
});

test('screen readers hear the first place, then each half, then the next', () => {
  const { rerender } = render(<Shell stream={inLine(12)} />);
  const heard = [status()];
  for (let place = 11; place >= 1; place -= 1) {
    rerender(<Shell stream={inLine(place)} />);
    if (status() !== heard.at(-1)) heard.push(status());
  }
  expect(heard).toEqual(['12th', '6th', '3rd', 'next'].map((which) => `Waiting for a free place – you are ${which} in line`));
  rerender(<Shell stream={aLiveStream()} />);
  expect(status()).toBe('Generating');
  rerender(<Shell stream={inLine(4)} />);
  expect(status()).toContain('4th');
  rerender(<Shell stream={inLine(9)} />); // another process may count anew
  expect(status()).toContain('9th');
});
