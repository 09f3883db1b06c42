/** What runs in the page under measurement. It goes there as text, so it uses nothing from outside. */
/* oxlint-disable unicorn/consistent-function-scoping -- see above */
/* oxlint-disable no-underscore-dangle -- React's own name */

/** Times in ms on the page's clock (`performance.now()`). */
export interface Sample {
  /** The key that asked. */
  askedAt: number;
  /** The first change of the answer after it. */
  liveAt: number;
  /** The server's end of the stream. */
  endedAt: number;
  /** After the first frame that began with the last change of the answer in the page. */
  paintedAt: number;
  /** When each frame began. */
  frames: number[];
  /** React's commits, of all the page. */
  commits: number[];
  longFrames: { at: number; duration: number; blocking: number; scripts: string[] }[];
  /** From each key to after the frame that shows its letter. */
  keyLags: number[];
}

declare global {
  interface Window {
    liveaiBench: Sample & { changedAt: number };
    /** React calls it in every build, for its developer tools; without it, nothing is called. */
    __REACT_DEVTOOLS_GLOBAL_HOOK__: unknown;
  }
}

/** Begin recording; before anything of the page's own runs. */
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

  // A message that is posted within a frame arrives when that frame has been painted.
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
      // When the browser got the key, which may be well before the page heard of it.
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

/** A field to type in, as a chat would have one below the answer. */
export function addField(): void {
  const field = document.createElement('input');
  field.id = 'liveai-bench-field';
  field.style.cssText = 'position: fixed; right: 1rem; top: 1rem; width: 16rem; z-index: 9';
  document.body.append(field);
  field.focus();
}
