import { describe, expect, it } from 'vitest';
import { MIN_BOARD_HEIGHT, boardHeight, directionFor, fitted, panned, zoomed } from './diagramView';

const BOARD = { width: 750, height: 430 };

describe('a drawing on its board', () => {
  it('is shown whole and centred', () => {
    const drawing = { width: 780, height: 200 };
    const view = fitted(drawing, BOARD);
    expect(view.scale).toBeCloseTo(0.9);
    expect(view.x).toBeCloseTo(24);
    expect(view.y).toBeCloseTo((430 - 180) / 2);
  });

  it.each([
    ['wide', { width: 5_000, height: 100 }],
    ['tall', { width: 100, height: 5_000 }],
    ['large', { width: 5_000, height: 5_000 }],
  ])('keeps its words legible if it is %s, and shows its beginning', (_, drawing) => {
    const view = fitted(drawing, BOARD);
    expect(14 * view.scale).toBeGreaterThanOrEqual(12);
    expect(view.x).toBeGreaterThanOrEqual(24);
    expect(view.y).toBeGreaterThanOrEqual(60);
  });

  it('never lies under the buttons in the corner', () => {
    const view = fitted({ width: 200, height: 400 }, BOARD);
    expect(view.y).toBeGreaterThanOrEqual(60);
    expect(view.y + 400 * view.scale).toBeLessThanOrEqual(430 - 24 + 1e-9);
  });

  it('is not enlarged if it is small', () => {
    expect(fitted({ width: 50, height: 20 }, BOARD).scale).toBeLessThan(1.2);
  });

  it('keeps the point under the pointer in place while zooming', () => {
    const view = { scale: 1, x: 20, y: 30 };
    const next = zoomed(view, 2, { x: 120, y: 90 });
    expect(next.scale).toBe(2);
    const before = { x: (120 - view.x) / view.scale, y: (90 - view.y) / view.scale };
    expect(before.x * next.scale + next.x).toBeCloseTo(120);
    expect(before.y * next.scale + next.y).toBeCloseTo(90);
  });

  it('has a largest and a smallest scale, at which zooming has no effect', () => {
    const view = { scale: 4, x: 1, y: 2 };
    expect(zoomed(view, 10, { x: 300, y: 300 })).toEqual(view);
    expect(zoomed({ ...view, scale: 0.1 }, 0.1, { x: 300, y: 300 }).scale).toBeCloseTo(0.1);
  });

  it('can be panned, but not off the board', () => {
    const drawing = { width: 100, height: 100 };
    const view = { scale: 1, x: 0, y: 0 };
    expect(panned(view, { x: 10, y: -5 }, drawing, BOARD)).toEqual({ scale: 1, x: 10, y: -5 });
    expect(panned(view, { x: 9_999, y: 9_999 }, drawing, BOARD)).toEqual({ scale: 1, x: 726, y: 406 });
    expect(panned(view, { x: -9_999, y: -9_999 }, drawing, BOARD)).toEqual({ scale: 1, x: -76, y: -76 });
  });

  it('gives a tall diagram a taller board, whatever its height', () => {
    expect(boardHeight({ width: 200, height: 100 }, 750)).toBe(MIN_BOARD_HEIGHT);
    expect(boardHeight({ width: 200, height: 500 }, 750)).toBe(584);
    expect(boardHeight({ width: 200, height: 5_000 }, 750)).toBe(5_084);
    expect(boardHeight({ width: 780, height: 800 }, 750)).toBe(804);
    expect(boardHeight({ width: 5_000, height: 700 }, 750)).toBe(685);
  });

  it('has room from left to right on a wide board, if its words stay legible', () => {
    expect(directionFor(750, { LR: 0, TD: 0 })).toBe('LR');
    expect(directionFor(750, { LR: 818, TD: 0 })).toBe('LR');
    expect(directionFor(750, { LR: 819, TD: 0 })).toBe('TD');
    expect(directionFor(1_500, { LR: 819, TD: 0 })).toBe('LR');
  });

  it('runs from top to bottom on a narrow board, unless it fits only from left to right', () => {
    expect(directionFor(390, { LR: 0, TD: 0 })).toBe('TD');
    expect(directionFor(390, { LR: 0, TD: 1_000 })).toBe('LR');
    expect(directionFor(390, { LR: 1_000, TD: 1_000 })).toBe('TD');
  });
});
