import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const idle: (() => void)[] = [];

beforeEach(() => {
  vi.resetModules();
  idle.length = 0;
  vi.stubGlobal('requestIdleCallback', (callback: () => void) => idle.push(callback));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('./RichMarkdown');
  // Other tests of this worker must not get the modules that hold the mock.
  vi.resetModules();
});

it('renders once when the page is idle, however many blocks ask for it', async () => {
  const warmUp = vi.fn();
  vi.doMock('./RichMarkdown', () => ({ warmUp }));
  const { preloadMarkdown } = await import('./Markdown');
  preloadMarkdown();
  preloadMarkdown();
  await vi.waitFor(() => expect(idle).toHaveLength(1));
  expect(warmUp).not.toHaveBeenCalled();
  idle[0]?.();
  expect(warmUp).toHaveBeenCalledOnce();
});

it('renders with the real renderer, off-screen, and removes what it rendered', async () => {
  const made: HTMLElement[] = [];
  const create = document.createElement.bind(document);
  vi.spyOn(document, 'createElement').mockImplementation((tag: string) => {
    const element = create(tag);
    made.push(element);
    return element;
  });
  const { warmUp } = await import('./RichMarkdown');
  warmUp();
  const drawn = () => made.find((element) => element.className === 'prose');
  await vi.waitFor(() => expect(drawn()?.querySelector('table')).toBeTruthy());
  expect(drawn()?.querySelector('.code-block')).toBeTruthy();
  expect(drawn()?.isConnected).toBe(false);
  await vi.waitFor(() => expect(drawn()?.parentElement).toBeNull(), { timeout: 4_000 });
});

it('tries again after the renderer failed to load', async () => {
  const fetched = vi.fn();
  vi.doMock('./RichMarkdown', () => {
    fetched();
    if (fetched.mock.calls.length === 1) throw new Error('no network');
    return { warmUp: vi.fn() };
  });
  const { preloadMarkdown } = await import('./Markdown');
  await vi.waitFor(() => {
    preloadMarkdown();
    expect(idle.length).toBeGreaterThan(0);
  });
  expect(fetched).toHaveBeenCalledTimes(2);
});
