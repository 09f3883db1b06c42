/**
 * Runs in the page under measurement. It is sent there as text, so it must not use anything from
 * outside.
 */
/* oxlint-disable unicorn/consistent-function-scoping -- see above */
/* oxlint-disable no-underscore-dangle -- the name is React's */

/** Times in ms on the page's clock (`performance.now()`). */
export interface Sample {
  /** The key press that asked. */
  askedAt: number;
  /** The first change of the answer after that. */
  liveAt: number;
  /** When the server ended the stream. */
  endedAt: number;
  /** After the first frame that began with the answer's last change on the page. */
  paintedAt: number;
  /** When each frame began. */
  frames: number[];
  /** React's commits on the whole page. */
  commits: number[];
  longFrames: { at: number; duration: number; blocking: number; scripts: string[] }[];
  /** From each key press until after the frame that shows its letter. */
  keyLags: number[];
}

declare global {
  interface Window {
    liveaiBench: Sample & { changedAt: number };
    /** React calls this hook for its developer tools in every build, and only if it exists. */
    __REACT_DEVTOOLS_GLOBAL_HOOK__: unknown;
  }
}

/** Starts recording. Call it before any code of the page runs. */
export function record(): void {
  const sample: Window['liveaiBench'] = {
    askedAt: 0,
    liveAt: 0,
    endedAt: 0,
    paintedAt: 0,
    changedAt: 0,
    frames: [],
    commits: [],
    longFrames: [],
    keyLags: [],
  };
  window.liveaiBench = sample;
  const now = () => performance.now();

  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    supportsFiber: true,
    inject: () => 1,
    checkDCE: () => undefined,
    onCommitFiberRoot: () => sample.commits.push(now()),
    onCommitFiberUnmount: () => undefined,
  };

  // A message posted during a frame arrives after that frame was painted.
  const painted = new MessageChannel();
  const waiting: ((at: number) => void)[] = [];
  painted.port1.addEventListener('message', () => waiting.shift()?.(now()));
  painted.port1.start();
  const afterPaint = (callback: (at: number) => void) => {
    waiting.push(callback);
    painted.port2.postMessage(null);
  };

  let shown = 0;
  const frame = (at: number) => {
    sample.frames.push(at);
    const change = sample.changedAt;
    if (change !== shown) {
      shown = change;
      afterPaint((then) => {
        sample.paintedAt = then;
      });
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  new MutationObserver((changes) => {
    const isOfAnswer = ({ target }: MutationRecord) => {
      const element = target instanceof Element ? target : target.parentElement;
      return element?.closest('.wire') && !element.closest('.waiting');
    };
    if (sample.askedAt === 0 || !changes.some(isOfAnswer)) return;
    sample.changedAt = now();
    if (sample.liveAt === 0 && document.querySelector('.wire[data-state="live"]')) {
      sample.liveAt = sample.changedAt;
    }
  }).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ['data-state', 'aria-busy'],
  });

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as unknown as LongFrame[]) {
      sample.longFrames.push({
        at: entry.startTime,
        duration: entry.duration,
        blocking: entry.blockingDuration,
        scripts: entry.scripts.map(
          (script) =>
            `${script.invoker} ${script.sourceURL.split('/').at(-1)} ${Math.round(script.duration)} ms, of it layout ${Math.round(script.forcedStyleAndLayoutDuration)}`,
        ),
      });
    }
  }).observe({ type: 'long-animation-frame', buffered: true });

  interface LongFrame extends PerformanceEntry {
    blockingDuration: number;
    scripts: {
      invoker: string;
      sourceURL: string;
      duration: number;
      forcedStyleAndLayoutDuration: number;
    }[];
  }

  addEventListener(
    'keydown',
    (event) => {
      // When the browser received the key press, which may be well before the page did.
      const pressedAt = event.timeStamp;
      if (sample.askedAt === 0 && event.key === 'Enter') {
        sample.askedAt = pressedAt;
      } else if ((event.target as Element).id === 'liveai-bench-field') {
        requestAnimationFrame(() => afterPaint((at) => sample.keyLags.push(at - pressedAt)));
      }
    },
    true,
  );
}

/** A text field such as a chat would have below the answer. */
export function addField(): void {
  const field = document.createElement('input');
  field.id = 'liveai-bench-field';
  field.style.cssText = 'position: fixed; right: 1rem; top: 1rem; width: 16rem; z-index: 9';
  document.body.append(field);
  field.focus();
}
