/**
 * When to draw a diagram that grows: one drawing at a time, always of the newest text, and never so
 * often that drawing gets in the way of reading.
 */

/** At least so long from the end of one drawing to the beginning of the next, in ms … */
const REST_MS = 100;
/** … and so many times what the last one cost. */
const REST_PER_COST = 4;

export interface DrawingLoopOptions<Drawing> {
  /** May reject: then what was shown stays. */
  draw(source: string): Promise<Drawing>;
  /** In the order of drawing; of texts that came meanwhile only the last is drawn. */
  onDrawn(drawing: Drawing, source: string): void;
  onFailed(reason: unknown, source: string): void;
  now?(): number;
}

export interface DrawingLoop {
  /**
   * Draw this text as soon as it is its turn. The same text is not drawn twice in a row.
   *
   * @param isLast - nothing grows any more: then there is no rest before it.
   */
  request(source: string, isLast?: boolean): void;
  /** Forget what waits and what is being drawn; more may be requested afterwards. */
  clear(): void;
}

export function drawingLoop<Drawing>(options: DrawingLoopOptions<Drawing>): DrawingLoop {
  const now = options.now ?? (() => performance.now());
  let next: string | undefined;
  let last: string | undefined;
  let isDrawing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Counts the clearings: a drawing that began before one is not shown after it.
  let era = 0;
  let isAtEnd = false;

  function advance(): void {
    if (isDrawing || timer !== undefined || next === undefined) return;
    const source = next;
    next = undefined;
    if (source === last) return;
    last = source;
    isDrawing = true;
    void drawOne(source, era);
  }

  async function drawOne(source: string, begunIn: number): Promise<void> {
    const begunAt = now();
    try {
      const drawing = await options.draw(source);
      if (begunIn === era) options.onDrawn(drawing, source);
    } catch (reason) {
      // What failed may be tried again: the code of the renderer may only not have come.
      if (last === source) last = undefined;
      if (begunIn === era) options.onFailed(reason, source);
    }
    isDrawing = false;
    timer = setTimeout(
      () => {
        timer = undefined;
        advance();
      },
      isAtEnd ? 0 : Math.max(REST_MS, REST_PER_COST * (now() - begunAt)),
    );
  }

  return {
    request(source, isLast = false) {
      next = source;
      isAtEnd = isLast;
      if (isLast) {
        clearTimeout(timer);
        timer = undefined;
      }
      advance();
    },
    clear() {
      era += 1;
      next = undefined;
      last = undefined;
    },
  };
}
