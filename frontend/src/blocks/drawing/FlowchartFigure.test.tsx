import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FlowchartFigure } from './FlowchartFigure';

const drawn: string[] = [];
let isBroken = false;

vi.mock('./diagramRenderer', () => ({
  drawDiagram: async (source: string) => {
    drawn.push(source);
    if (isBroken) throw new Error('It can’t be drawn.');
    return { svg: document.createElementNS('http://www.w3.org/2000/svg', 'svg'), width: 1, height: 1 };
  },
}));

beforeEach(() => {
  drawn.length = 0;
  isBroken = false;
});
afterEach(cleanup);

function shown(source: string): HTMLElement {
  const { container } = render(
    <FlowchartFigure source={source}>
      <pre>{source}</pre>
    </FlowchartFigure>,
  );
  return container;
}

test('draws a source of its own, says what it shows, and shows the code on request', async () => {
  const container = shown('graph LR\nA[Start] -->|go| B\nclick A "javascript:alert(1)"\nC');
  await waitFor(() => expect(container.querySelector('svg')).toBeTruthy());
  expect(drawn).toEqual(['flowchart LR\n    n1["Start"]\n    n2["B"]\n    n3["C"]\n    n1 -->|"go"| n2\n']);
  expect(container.querySelector('svg')?.getAttribute('aria-label')).toBe('Start leads to B (go); C');

  const code = container.querySelector('pre');
  expect(code?.closest('[hidden]')).toBeTruthy();
  await userEvent.setup().click(screen.getByRole('button', { name: 'Show code', expanded: false }));
  expect(code?.closest('[hidden]')).toBeNull();
  expect(screen.getByRole('button', { name: 'Hide code', expanded: true })).toBeTruthy();
});

test('shows only the code of what it can’t read', () => {
  expect(shown('sequenceDiagram\nA->>B: x').innerHTML).toBe('<pre>sequenceDiagram\nA-&gt;&gt;B: x</pre>');
  expect(drawn).toEqual([]);
});

test('shows only the code if the drawing fails', async () => {
  isBroken = true;
  const container = shown('graph TD\nA-->B');
  await waitFor(() => expect(drawn).toHaveLength(1));
  expect(container.innerHTML).toBe('<pre>graph TD\nA--&gt;B</pre>');
});
