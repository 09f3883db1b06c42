import { act, cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useFollowEnd } from './useFollowEnd';

let grow: () => void;
const page = { height: 1000, y: 0 };
const VIEW = 500;

beforeEach(() => {
  Object.assign(page, { height: 600, y: 100 });
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(callback: () => void) {
        grow = callback;
      }
      observe(): void {}
      disconnect(): void {
        grow = () => undefined;
      }
    },
  );
  vi.spyOn(document.documentElement, 'scrollHeight', 'get').mockImplementation(() => page.height);
  vi.spyOn(document.documentElement, 'clientHeight', 'get').mockReturnValue(VIEW);
  vi.spyOn(window, 'scrollY', 'get').mockImplementation(() => page.y);
  vi.stubGlobal('scrollTo', ({ top }: { top: number }) => scroll(Math.min(top, page.height - VIEW)));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function scroll(y: number): void {
  page.y = y;
  window.dispatchEvent(new Event('scroll'));
}

function growBy(px: number): void {
  page.height += px;
  act(() => grow());
}

function Growing({ isGrowing = true }: { isGrowing?: boolean }) {
  return <div ref={useFollowEnd<HTMLDivElement>(isGrowing)} />;
}

test('a reader at the end is kept at the end', () => {
  render(<Growing />);
  growBy(300);
  expect(page.y).toBe(400);
  growBy(300);
  expect(page.y).toBe(700);
});

test('a reader further up is left alone', () => {
  page.height = 2000;
  render(<Growing />);
  growBy(300);
  expect(page.y).toBe(100);
});

test('scrolling up, even a little, stops it; scrolling to the end starts it again', () => {
  render(<Growing />);
  growBy(300);
  scroll(380);
  growBy(300);
  expect(page.y).toBe(380);
  scroll(690);
  growBy(100);
  expect(page.y).toBe(800);
});

test('the wheel stops it before its scroll event', () => {
  render(<Growing />);
  window.dispatchEvent(new WheelEvent('wheel', { deltaY: -10 }));
  growBy(300);
  expect(page.y).toBe(100);
});

test('selected text does not move', () => {
  render(<Growing />);
  vi.spyOn(document, 'getSelection').mockReturnValue({ isCollapsed: false } as Selection);
  growBy(300);
  expect(page.y).toBe(100);
});

test('nothing moves once the answer has ended', () => {
  const { rerender } = render(<Growing />);
  rerender(<Growing isGrowing={false} />);
  growBy(300);
  expect(page.y).toBe(100);
});
