import { cleanup, render, screen, waitFor } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DiagramBlock } from './DiagramBlock';
import { cleanDrawing } from './drawing/diagramSvg';
import { aBlock, aResource } from './shellFixtures';

const { given } = vi.hoisted(() => ({ given: [] as string[] }));
vi.mock('./drawing/diagramRenderer', () => ({
  drawDiagram: async (source: string, key: string) => {
    given.push(source);
    return cleanDrawing('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><g></g></svg>', key);
  },
}));

const BLOCK = aBlock({ slug: 'diagram', title: 'Diagram', output: 'diagram' });
const ITEMS = [
  { path: '/title', value: 'Water' },
  { path: '/nodes/0', value: { id: 'n1', label: 'Rain' } },
  { path: '/nodes/1', value: { id: 'n2', label: 'River' } },
  { path: '/edges/0', value: { from: 'n1', to: 'n2' } },
];
const SOURCE = 'flowchart TD\n    n1["Rain"]\n    n2["River"]\n    n1 --> n2\n';
const STORED = { block_type: 'diagram', prompt: 'Water', text: '', items: ITEMS };

afterEach(() => {
  cleanup();
  given.length = 0;
});

describe('a stored diagram', () => {
  it('is drawn from its own parts, whatever source was stored beside them', async () => {
    const result = { title: 'Water', nodes: [], edges: [], source: '%%{init: {"theme":"dark"}}%%' };
    render(<DiagramBlock block={BLOCK} stream={aResource({ ...STORED, result })} />);
    expect(await screen.findByRole('img', { name: /2 steps, 1 link\./u })).toBeTruthy();
    expect(given).toEqual([SOURCE]);
    expect(screen.getByText('2 steps, 1 link')).toBeTruthy();
  });

  it('can be copied as source, downloaded, and shown as text', async () => {
    const user = userEvent.setup();
    render(<DiagramBlock block={BLOCK} stream={aResource(STORED)} />);
    await user.click(screen.getByRole('button', { name: 'Copy' }));
    await user.click(screen.getByRole('menuitem', { name: 'Copy Mermaid code' }));
    expect(await navigator.clipboard.readText()).toBe(SOURCE);
    await user.click(screen.getByRole('button', { name: 'Download' }));
    const offered = () => screen.getAllByRole('menuitem').map((item) => item.textContent);
    await waitFor(() =>
      expect(offered()).toEqual(['Download SVG', 'Download PNG', 'Download Mermaid code', 'Download text']),
    );
    await user.keyboard('{Escape}');
    await user.click(screen.getByRole('button', { name: 'Show as text', pressed: false }));
    expect(screen.getByRole('button', { name: 'Show as text', pressed: true })).toBeTruthy();
    expect(document.querySelector('.diagram-text')?.textContent).toContain('Rain leads to River');
  });

  it('that failed before its first part says why, and shows no empty board', () => {
    const error = { code: 'provider_unavailable', message: 'The model is away.', retryable: true };
    render(<DiagramBlock block={BLOCK} stream={aResource({ ...STORED, items: [], status: 'error', error })} />);
    expect(screen.getByText(/The model is away/u)).toBeTruthy();
    expect(document.querySelector('.diagram-board')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Show as text' })).toBeNull();
  });
});
