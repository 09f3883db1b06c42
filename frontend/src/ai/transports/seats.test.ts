// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SEATS } from '../core/seating';
import { pass } from '../testing/scriptedLines';
import { ScriptedTabs } from '../testing/scriptedTabs';
import type { ScriptedTab } from '../testing/scriptedTabs';

const SHORT_MS = 20; // messages between tabs have arrived

let browser: ScriptedTabs;
beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  browser = new ScriptedTabs();
});
afterEach(() => {
  for (const { lines, seats } of browser.tabs) for (const line of lines) seats.remove(line);
  vi.advanceTimersByTime(SHORT_MS);
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers are left`);
});

/** Opens tabs one after the other, each with one line. */
async function openTabs(count: number, options: Partial<ScriptedTab> = {}): Promise<ScriptedTab[]> {
  const tabs: ScriptedTab[] = [];
  for (let n = 0; n < count; n++) {
    const tab = browser.open(options);
    tabs.push(tab);
    await pass(SHORT_MS); // it hears of the others
    tab.want();
    await pass(SHORT_MS);
  }
  return tabs;
}

/** Advances the clock, and calls `look` every 10 ms. */
async function passAndLook(ms: number, look: () => void): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await pass(10);
    look();
  }
}

const line = ({ lines: [first] }: ScriptedTab) => {
  if (!first) throw new Error('the tab has no line');
  return first;
};

describe('the tabs of a browser', () => {
  it('all sit at once while there are seats', async () => {
    const tabs = await openTabs(SEATS);
    await pass(10_000);
    expect(tabs.map((tab) => line(tab).satAt.length)).toEqual([1, 1, 1, 1]);
  });

  it('never take more seats than there are, and each sits often', async () => {
    const tabs = await openTabs(10);
    await passAndLook(20_000, () => expect(browser.seated.length).toBeLessThanOrEqual(SEATS));
    for (const tab of tabs) expect(line(tab).satAt.length).toBeGreaterThan(6);
  });

  it('leave a seat to the visible one, which keeps it', async () => {
    await openTabs(9, { isVisible: false });
    await pass(5_000);
    const [visible] = await openTabs(1);
    if (!visible) throw new Error('it was opened');
    await pass(2 * SHORT_MS);
    expect(line(visible).isSeated).toBe(true);
    await passAndLook(10_000, () => expect(line(visible).isSeated).toBe(true));
    for (const tab of browser.tabs) expect(line(tab).satAt.length).toBeGreaterThan(tab.isVisible ? 0 : 3);
  });

  it('give the seats of one that ended to the others at once', async () => {
    const tabs = await openTabs(5);
    const waiting = tabs.find((tab) => !line(tab).isSeated);
    const first = tabs.find((tab) => line(tab).isSeated);
    if (!first || !waiting) throw new Error('one of five waits');
    first.seats.remove(line(first));
    await pass(SHORT_MS);
    expect(line(waiting).isSeated).toBe(true);
  });

  it('take the seats of those that crashed', async () => {
    const tabs = await openTabs(SEATS + 1);
    const waiting = tabs.filter((tab) => !line(tab).isSeated);
    for (const tab of tabs) tab.isDead = line(tab).isSeated;
    await pass(1_000);
    expect(browser.seated).toEqual([]);
    await pass(5_000);
    expect(browser.seated).toEqual(waiting.map((tab) => line(tab).name));
  });

  it('do not take the seat of one that still waits for its first event', async () => {
    const tabs = await openTabs(SEATS);
    for (const tab of tabs) line(tab).canLeave = false;
    const [fifth] = await openTabs(1);
    await pass(3_000);
    expect(fifth && line(fifth).isSeated).toBe(false);
    expect(browser.seated.length).toBe(SEATS);
    for (const tab of tabs) line(tab).canLeave = true;
    await pass(5_000);
    expect(fifth && line(fifth).satAt.length).toBeGreaterThan(0);
  });

  it('take turns though the timers of hidden ones are late, while anything arrives anywhere', async () => {
    const tabs = await openTabs(10, { isVisible: false, isSlow: true });
    await pass(60_000); // until each has had its first late timer
    const before = tabs.map((tab) => line(tab).satAt.length);
    await passAndLook(20_000, () => {
      for (const tab of tabs) if (line(tab).isSeated) tab.seats.pulse();
    });
    tabs.forEach((tab, at) => expect(line(tab).satAt.length - (before[at] ?? 0)).toBeGreaterThan(3));
  });

  it('say little to each other', async () => {
    await openTabs(10);
    browser.messages = 0;
    await pass(10_000);
    expect(browser.messages).toBeLessThan(10 * 10 * 3);
  });
});

describe('the lines of one tab', () => {
  it('take turns too', async () => {
    const tab = browser.open();
    const lines = Array.from({ length: 7 }, () => tab.want());
    expect(browser.seated).toHaveLength(SEATS);
    await passAndLook(10_000, () => expect(browser.seated.length).toBeLessThanOrEqual(SEATS));
    for (const each of lines) expect(each.satAt.length).toBeGreaterThan(3);
  });
});
