import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useFollowEnd } from './useFollowEnd';

let grow: () => void;
/** The window is 500 px high, and the element begins at the top of the page. */
const page = { height: 600, y: 0 };
const VIEW = 500;

beforeEach(() => {
  Object.assign(page, { height: 600, y: 0 });
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
  vi.stubGlobal('innerHeight', VIEW);
  vi.spyOn(HTMLElement.prototype, 'getBoundingClientRect').mockImplementation(() => new DOMRect(0, -page.y, 9, page.height));
  vi.spyOn(window, 'scrollY', 'get').mockImplementation(() => page.y);
  vi.stubGlobal('scrollBy', ({ top }: { top: number }) => scroll(page.y + top));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function scroll(y: number): void {
  page.y = y;
  act(() => void window.dispatchEvent(new Event('scroll')));
}

function growBy(px: number): void {
  page.height += px;
  act(() => grow());
}

function Growing({ isGrowing = true, mayFollow = true }: { isGrowing?: boolean; mayFollow?: boolean }) {
  const { element, isBelow, jump } = useFollowEnd<HTMLDivElement>(isGrowing, mayFollow);
  return (
    <div ref={element}>
      <button type="button" onClick={jump}>
        {isBelow ? 'below' : 'in view'}
      </button>
    </div>
  );
}

const button = () => screen.getByRole('button');

test('a reader at the start stays there, and is told that the end is below', () => {
  render(<Growing />);
  growBy(300);
  expect([page.y, button().textContent]).toEqual([0, 'below']);
});

test('a reader who went to the end is kept there', () => {
  render(<Growing />);
  growBy(300);
  scroll(400);
  growBy(300);
  expect([page.y, button().textContent]).toEqual([700, 'in view']);
});

test('scrolling up, even a little, stops it; scrolling to the end starts it again', () => {
  render(<Growing />);
  growBy(300);
  scroll(400);
  scroll(380);
  growBy(300);
  expect(page.y).toBe(380);
  scroll(690);
  growBy(100);
  expect(page.y).toBe(800);
});

test('a jump goes to the end, and follows it', () => {
  render(<Growing />);
  growBy(300);
  act(() => button().click());
  expect(page.y).toBe(400);
  growBy(300);
  expect(page.y).toBe(700);
});

test('where things are tapped nothing is followed, not even after a jump', () => {
  render(<Growing mayFollow={false} />);
  growBy(300);
  act(() => button().click());
  expect(page.y).toBe(400);
  growBy(300);
  expect([page.y, button().textContent]).toEqual([400, 'below']);
});

test('the wheel stops it before its scroll event', () => {
  render(<Growing />);
  growBy(300);
  scroll(400);
  window.dispatchEvent(new WheelEvent('wheel', { deltaY: -10 }));
  growBy(300);
  expect(page.y).toBe(400);
});

test('the End key goes to the end, however quickly it grows', () => {
  render(<Growing />);
  growBy(300);
  window.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));
  growBy(300);
  expect(page.y).toBe(700);
});

test('selected text does not move', () => {
  render(<Growing />);
  growBy(300);
  scroll(400);
  vi.spyOn(document, 'getSelection').mockReturnValue({ isCollapsed: false } as Selection);
  growBy(300);
  expect(page.y).toBe(400);
});

test('nothing moves once the answer has ended', () => {
  const { rerender } = render(<Growing />);
  growBy(300);
  scroll(400);
  rerender(<Growing isGrowing={false} />);
  growBy(300);
  expect([page.y, button().textContent]).toEqual([400, 'in view']);
});
