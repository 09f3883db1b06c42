/** The countdown on the page of a refusal: `static/frontend/countdown.js`, on `templates/429.html`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const SOURCE = readFileSync(path.join(import.meta.dirname, '../../static/frontend/countdown.js'), 'utf8');

const $ = (selector: string) => document.querySelector<HTMLElement>(selector)!;
const wait = () => $('#wait');
const button = () => $('button');

function show(seconds: number): void {
  document.body.innerHTML = `
    <p id="wait" data-seconds="${seconds}">Please try again in <b>${seconds} seconds</b>.</p>
    <p role="status"></p>
    <form><button aria-describedby="wait">Try again</button></form>`;
  new Function(SOURCE)();
}

/** Whether a submission would leave the page. */
const submits = () => $('form').dispatchEvent(new Event('submit', { cancelable: true }));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  document.body.innerHTML = '';
});

describe('while the wait lasts', () => {
  it.each([
    [1, '1 second'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [61, '1 minute 1 second'],
    [299, '4 minutes 59 seconds'],
    [3599, '59 minutes 59 seconds'],
    [3600, '1 hour'],
    [3601, '1 hour 1 minute'],
    [7199, '2 hours'],
    [90_000, '25 hours'],
  ])('%i s are told as the server tells them', (seconds, words) => {
    show(seconds);
    expect(wait().textContent).toBe(`Please try again in ${words}.`);
  });

  it('the words follow the time, and no live region changes', () => {
    show(300);
    vi.advanceTimersByTime(60_000);
    expect(wait().textContent).toBe('Please try again in 4 minutes.');
    vi.advanceTimersByTime(1000);
    expect(wait().textContent).toBe('Please try again in 3 minutes 59 seconds.');
    expect(wait().closest('[aria-live], [role=status], [role=alert]')).toBeNull();
    expect($('[role=status]').textContent).toBe('');
  });

  it('a try stays on the page, and the button can be reached and says why', () => {
    show(300);
    vi.advanceTimersByTime(299_000);
    expect(submits()).toBe(false);
    expect(button().getAttribute('aria-disabled')).toBe('true');
    expect(button().hasAttribute('disabled')).toBe(false);
  });
});

it('at the end it says so, once, and a try is sent', () => {
  show(300);
  vi.advanceTimersByTime(300_000);
  expect($('[role=status]').textContent).toBe('You can try again now.');
  expect(wait().hidden).toBe(true);
  expect(button().hasAttribute('aria-disabled')).toBe(false);
  expect(submits()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it('a device that slept through the wait is at its end', () => {
  show(300);
  vi.setSystemTime(Date.now() + 400_000); // no timer ran meanwhile
  vi.advanceTimersByTime(250);
  expect(submits()).toBe(true);
  expect($('[role=status]').textContent).toBe('You can try again now.');
});
