/** A page in which React renders a component with a hook. Import it before React. */
import { JSDOM } from 'jsdom';

const { window } = new JSDOM();
Object.assign(globalThis, { window, document: window.document });

const { StrictMode, createElement, startTransition, useLayoutEffect, useState } =
  await import('react');
const { flushSync } = await import('react-dom');
const { createRoot } = await import('react-dom/client');

/**
 * Renders what a hook returns, in strict mode, as applications do.
 *
 * @param useHook the hook with its options; called at each render.
 * @param show what the page shows of its value, as a text.
 */
export function renderHook(useHook, show) {
  const element = document.createElement('main');
  const root = createRoot(element);
  const watchers = new Set();
  let value;
  let setRendered;
  function Page() {
    const current = useHook();
    const [rendered, set] = useState({ tell() {} });
    setRendered = set;
    useLayoutEffect(() => {
      value = current;
      for (const watcher of watchers) watcher();
    });
    useLayoutEffect(() => rendered.tell(), [rendered]);
    return show(current);
  }
  flushSync(() => root.render(createElement(StrictMode, null, createElement(Page))));
  return {
    /** What the hook returned last. */
    now: () => value,
    /** The text that the page shows. */
    text: () => element.textContent,
    /** Waits until the page shows what has happened: React renders a transition after all else. */
    settled: () => new Promise((tell) => startTransition(() => setRendered({ tell }))),
    /** Waits until the hook returns what is wanted. */
    until: (isWanted) =>
      new Promise((resolve) => {
        const watcher = () => {
          if (!isWanted(value)) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
    close: () => flushSync(() => root.unmount()),
  };
}
