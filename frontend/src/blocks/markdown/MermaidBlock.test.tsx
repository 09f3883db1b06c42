import { act, cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RichMarkdown } from './RichMarkdown';

const read: string[] = [];

vi.mock('../drawing/FlowchartFigure', () => ({
  FlowchartFigure: ({ source, children }: { source: string; children: React.ReactNode }) => {
    read.push(source);
    return <div data-testid="drawing">{children}</div>;
  },
}));

beforeEach(() => {
  read.length = 0;
});
afterEach(cleanup);

test('a fence of Mermaid is code while it is open, and drawn when it is closed', async () => {
  const open = 'See:\n\n```mermaid\ngraph TD\nA-->B';
  const { container, rerender } = render(<RichMarkdown text={open} isWriting />);
  expect(container.querySelector('.code-block code')?.textContent).toBe('graph TD\nA-->B');
  // Long enough for a lazy chunk.
  await import('../drawing/FlowchartFigure');
  await act(async () => undefined);
  expect(read).toEqual([]);

  rerender(<RichMarkdown text={`${open}\n\`\`\`\n\nMore`} isWriting />);
  await waitFor(() => expect(container.querySelector('[data-testid="drawing"] .code-block')).toBeTruthy());
  expect(new Set(read)).toEqual(new Set(['graph TD\nA-->B\n']));
});

test('other code is not drawn', () => {
  const { container } = render(<RichMarkdown text={'```js\ngraph TD\n```\n\n`graph TD`'} isWriting={false} />);
  expect(container.querySelector('[data-testid]')).toBeNull();
  expect(read).toEqual([]);
});
