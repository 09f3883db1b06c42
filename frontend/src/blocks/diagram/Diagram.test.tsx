import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DiagramData, diagramData } from '@liveai/client';
import { Diagram } from './Diagram';
import { type DiagramDrawing, cleanDrawing } from '../drawing/diagramSvg';
import { type DrawDiagram, useDrawing } from '../drawing/useDrawing';

function grown(nodes: string[], edges: [number, number, string?][] = [], title = 'How bread is baked'): DiagramData {
  const items = [
    { path: '/title', value: title },
    ...nodes.map((label, i) => ({ path: `/nodes/${i}`, value: { id: `n${i + 1}`, label } })),
    ...edges.map(([from, to, label], i) => ({
      path: `/edges/${i}`,
      value: { from: `n${from}`, to: `n${to}`, ...(label ? { label } : {}) },
    })),
  ];
  return diagramData({ items, arriving: {} });
}

/** A drawing of the nodes in the source, with Mermaid's names. */
function picture(source: string, key: string): DiagramDrawing {
  const nodes = [...source.matchAll(/^ {4}(n\d+)\["(.*)"\]$/gmu)].map(
    ([, id, label], i) => `<g class="node" id="${key}-draft-flowchart-${id}-${i}"><rect class="label-container"></rect><text>${label}</text></g>`,
  );
  return cleanDrawing(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200">${nodes.join('')}</svg>`, key);
}

const drawAtOnce: DrawDiagram = async (source, key) => picture(source, key);

const drawLowerAndLower: DrawDiagram = async (source, key) => ({
  ...picture(source, key),
  height: source.includes('n2') ? 100 : 556,
});

interface Props {
  data: DiagramData;
  isLive?: boolean;
  isText?: boolean;
  draw?: DrawDiagram;
}

function Drawn({ data, isLive = false, isText = false, draw = drawAtOnce }: Props) {
  const drawing = useDrawing(data.nodes.length > 0 ? data.source : undefined, isLive, draw);
  return <Diagram data={data} drawing={drawing} isLive={isLive} isText={isText} />;
}

const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const shownParts = () => [...document.querySelectorAll<SVGElement>('svg [data-part]')];
const named = (name: string) => shownParts().filter((part) => part.classList.contains(name)).map((part) => part.dataset.part);

const view = () => document.querySelector<HTMLElement>('.diagram-view')?.style.transform ?? '';
const scale = () => Number(/scale\((.*)\)/u.exec(view())?.[1]);

class StillObserver {
  observe() {}
  disconnect() {}
}

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  vi.stubGlobal('ResizeObserver', StillObserver);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(700);
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(430);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a diagram that grows', () => {
  it('shows each node as it arrives, and outlines the newest while it is live', async () => {
    const page = render(<Drawn isLive data={grown(['Mix'])} />);
    await later(0);
    expect(named('is-newest')).toEqual(['n1']);
    page.rerender(<Drawn isLive data={grown(['Mix', 'Knead'])} />);
    await later(200);
    expect(screen.getByRole('img').textContent).toBe('MixKnead');
    expect(named('is-newest')).toEqual(['n2']);
    expect(named('is-new')).toEqual(['n2']);
    page.rerender(<Drawn data={grown(['Mix', 'Knead'])} />);
    expect(named('is-newest')).toEqual([]);
  });

  it('keeps the last good drawing while the next is made, and if that fails', async () => {
    const jobs: (() => void)[] = [];
    const slowly: DrawDiagram = (source, key) =>
      new Promise((resolve, reject) => {
        jobs.push(() => (source.includes('Bad') ? reject(new Error('no')) : resolve(picture(source, key))));
      });
    const draw = () => jobs.shift()?.();
    const page = render(<Drawn isLive draw={slowly} data={grown(['Mix'])} />);
    draw();
    await later(1_000);
    const first = screen.getByRole('img');
    page.rerender(<Drawn isLive draw={slowly} data={grown(['Mix', 'Bad'])} />);
    await later(1_000);
    expect(screen.getByRole('img')).toBe(first);
    draw();
    await later(1_000);
    expect(screen.getByRole('img')).toBe(first);
    expect(screen.queryByText(/couldn’t be drawn/u)).toBeNull();
    page.rerender(<Drawn draw={slowly} data={grown(['Mix', 'Bad'])} />);
    expect(screen.getByText(/couldn’t be drawn/u)).toBeTruthy();
    expect(document.querySelector('.diagram-text')).not.toBeNull();
  });

  it('is cleared when its parts are void, and an older drawing no longer appears', async () => {
    const page = render(<Drawn isLive data={grown(['Mix'])} />);
    await later(500);
    page.rerender(<Drawn isLive data={grown([])} />);
    expect(screen.queryByRole('img')).toBeNull();
    await later(500);
    page.rerender(<Drawn isLive data={grown(['Other'])} />);
    await later(500);
    expect(screen.getByRole('img').textContent).toBe('Other');
  });

  it('shows the label being written, and none at the end', () => {
    const data = { ...grown(['Mix']), arriving: 'Kne' };
    const page = render(<Drawn isLive data={data} />);
    expect(screen.getByText('Kne')).toBeTruthy();
    page.rerender(<Drawn data={data} />);
    expect(screen.queryByText('Kne')).toBeNull();
  });

  it('never makes its board smaller', async () => {
    const page = render(<Drawn isLive draw={drawLowerAndLower} data={grown(['Mix'])} />);
    await later(0);
    const board = document.querySelector<HTMLElement>('.diagram-board');
    expect(board?.style.height).toBe('640px');
    page.rerender(<Drawn isLive draw={drawLowerAndLower} data={grown(['Mix', 'Knead'])} />);
    await later(500);
    expect(screen.getByRole('img').textContent).toBe('MixKnead');
    expect(board?.style.height).toBe('640px');
  });
});

describe('a board', () => {
  it('zooms by its buttons and fits again', async () => {
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime.bind(vi) });
    render(<Drawn data={grown(['Mix'])} />);
    await later(0);
    const fitted = view();
    await user.click(screen.getByRole('button', { name: 'Zoom in' }));
    expect(scale()).toBeCloseTo(1.15 * 1.25);
    await user.click(screen.getByRole('button', { name: 'Zoom out' }));
    await user.click(screen.getByRole('button', { name: 'Zoom out' }));
    expect(scale()).toBeCloseTo(1.15 / 1.25);
    await user.click(screen.getByRole('button', { name: 'Fit' }));
    expect(view()).toBe(fitted);
  });

  it('zooms and moves by keys', async () => {
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime.bind(vi) });
    render(<Drawn data={grown(['Mix'])} />);
    await later(0);
    const fitted = view();
    await user.tab();
    await user.keyboard('+');
    expect(scale()).toBeCloseTo(1.15 * 1.25);
    await user.keyboard('-{ArrowRight}');
    expect(view()).not.toBe(fitted);
    await user.keyboard('0');
    expect(view()).toBe(fitted);
  });

  it('zooms by wheel only with Ctrl; otherwise the page scrolls', async () => {
    render(<Drawn data={grown(['Mix'])} />);
    await later(0);
    const board = document.querySelector('.diagram-board') as HTMLElement;
    const wheel = (ctrlKey: boolean) => fireEvent.wheel(board, { deltaY: -100, ctrlKey, cancelable: true });
    expect(wheel(false)).toBe(true);
    expect(scale()).toBeCloseTo(1.15);
    expect(wheel(true)).toBe(false);
    expect(scale()).toBeCloseTo(1.15 * 1.25);
  });

  it('is panned by dragging', async () => {
    render(<Drawn data={grown(['Mix'])} />);
    await later(0);
    const board = document.querySelector('.diagram-board') as HTMLElement;
    const [, x = ''] = /translate\((.*?)px/u.exec(view()) ?? [];
    fireEvent.pointerDown(board, { pointerId: 1, button: 0, clientX: 10, clientY: 10 });
    fireEvent.pointerMove(board, { pointerId: 1, clientX: 50, clientY: 10 });
    fireEvent.pointerUp(board, { pointerId: 1 });
    fireEvent.pointerMove(board, { pointerId: 1, clientX: 500, clientY: 10 });
    expect(view()).toContain(`translate(${Number(x) + 40}px`);
  });
});

describe('a diagram in words', () => {
  it('is a labelled picture, and lists that screen readers always read', async () => {
    const data = grown(['Mix', 'Knead', 'Bake'], [[1, 2], [2, 3, 'one hour']]);
    const page = render(<Drawn data={data} />);
    await later(0);
    expect(screen.getByRole('img', { name: /Diagram of How bread is baked: 3 steps, 2 links\./u })).toBeTruthy();
    expect(screen.getAllByRole('listitem').map((item) => item.textContent)).toEqual([
      'Mix',
      'Knead',
      'Bake',
      'Mix leads to Knead',
      'Knead leads to Bake: one hour',
    ]);
    expect(document.querySelector('.diagram-text')).toBeNull();
    page.rerender(<Drawn isText data={data} />);
    expect(document.querySelector('.diagram-text')).not.toBeNull();
  });

  it('shows labels as plain text', () => {
    render(<Drawn isText data={grown(['<img src=x onerror=alert(1)>'])} />);
    expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
  });
});

describe('labels with marks, or in another script', () => {
  beforeEach(() => vi.useRealTimers());

  it('are formulas, code and bold in the text, and named in words', async () => {
    render(<Drawn data={grown(['Mass $m$', '**Light** `c`'], [[1, 2, '\\(c^2\\)']], 'On $E$')} isText />);
    await waitFor(() => expect(document.querySelectorAll('.diagram-text .formula')).toHaveLength(3));
    expect(document.querySelector('ul li')?.textContent).toMatch(/^Mass .* leads to Light c: /u);
    expect(document.querySelector('h2 .formula')).toBeTruthy();
    await waitFor(() => expect(document.querySelector('svg')?.getAttribute('aria-label')).toMatch(/^Diagram of On E:/u));
    expect(document.querySelector('svg')?.textContent).toContain('Mass');
  });

  it('give their lists a direction and a language, and foreign labels keep their own', () => {
    render(<Drawn data={grown(['쌀을 씻는다', '밥을 짓는다'], [[1, 2]], '밥')} isText />);
    expect(document.querySelector('ol')?.lang).toBe('ko');
    cleanup();
    render(<Drawn data={grown(['خلط', 'Bake'], [[1, 2]], 'خبز')} isText />);
    expect([document.querySelector('ol')?.dir, document.querySelector('h2')?.dir]).toEqual(['rtl', 'rtl']);
    expect([...document.querySelectorAll('li bdi')].map(({ textContent }) => textContent)).toEqual(['Bake', 'Bake']);
  });
});
