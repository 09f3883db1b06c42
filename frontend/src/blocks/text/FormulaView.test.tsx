import { cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => vi.resetModules());
afterEach(() => {
  cleanup();
  vi.doUnmock('./drawFormula');
  // Other tests of this worker must not get the modules that hold the mock.
  vi.resetModules();
});

test('shows the source until KaTeX is loaded, then the formula', async () => {
  const { FormulaView } = await import('./FormulaView');
  const { container } = render(<FormulaView source={'\\[x^2\\]'} />);
  expect(container.innerHTML).toBe('<code class="formula-source" dir="ltr">\\[x^2\\]</code>');
  await waitFor(() => expect(container.querySelector('.formula-display annotation')?.textContent).toBe('\\[x^2\\]'));
  // A long one scrolls, which must work by keyboard.
  expect(container.querySelector<HTMLElement>('.formula-display')?.tabIndex).toBe(0);
  expect(container.querySelector('code')).toBeNull();
});

test('keeps the source if KaTeX can’t be loaded', async () => {
  const loaded = vi.fn();
  vi.doMock('./drawFormula', () => {
    loaded();
    throw new Error('no network');
  });
  const { FormulaView } = await import('./FormulaView');
  const { container } = render(<FormulaView source="$x$" />);
  await waitFor(() => expect(loaded).toHaveBeenCalled());
  expect(container.textContent).toBe('$x$');
});

test('does not draw a formula whose end has not arrived', async () => {
  const drawFormula = vi.fn(() => 'drawn');
  vi.doMock('./drawFormula', () => ({ drawFormula }));
  const { FormulaView } = await import('./FormulaView');
  const { container, rerender } = render(<FormulaView source="$y$" />);
  await waitFor(() => expect(container.textContent).toBe('drawn'));
  rerender(<FormulaView source="\(x" />);
  expect(container.textContent).toBe('\\(x');
  rerender(<FormulaView source="\(x^2" />);
  rerender(<FormulaView source="\(x^2\)" />);
  await waitFor(() => expect(container.textContent).toBe('drawn'));
  expect(drawFormula.mock.calls).toEqual([
    [expect.objectContaining({ source: '$y$' })],
    [expect.objectContaining({ source: '\\(x^2\\)' })],
  ]);
});
