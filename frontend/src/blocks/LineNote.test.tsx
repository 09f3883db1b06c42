import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { LineNote } from './LineNote';
import { anEndedStream } from './shellFixtures';

test('an answer that repeated itself says so', () => {
  render(<LineNote stream={anEndedStream({ finishReason: 'repetition' })} />);
  expect(screen.getByText('The model began to repeat itself.')).toBeTruthy();
});

test('an answer that ended by itself says nothing', () => {
  const { container } = render(<LineNote stream={anEndedStream()} />);
  expect(container.textContent).toBe('');
});
