/**
 * Decides when to draw a growing diagram: one drawing at a time, always of the newest source, and
 * not so often that it disturbs reading.
 */

/** The minimum pause between two drawings, in ms … */
const REST_MS = 100;
/** … and the pause as a multiple of the last drawing's cost. */
const REST_PER_COST = 4;

export interface DrawingLoopOptions<Drawing> {
  /** May reject; then the last drawing stays. */
  draw(source: string): Promise<Drawing>;
  /**
   * Called in drawing order. Of the sources requested during a drawing, only the newest is drawn.
   */
  onDrawn(drawing: Drawing, source: string): void;
  onFailed(reason: unknown, source: string): void;
  now?(): number;
}

export interface DrawingLoop {
  /**
   * Draws this source when its turn comes. Skips a source that equals the last one.
   *
   * @param isLast - the source is final, so draw it without a pause.
   */
  request(source: string, isLast?: boolean): void;
  /** Drops the pending and the current drawing. New requests are welcome afterwards. */
  clear(): void;
}

export function drawingLoop<Drawing>(options: DrawingLoopOptions<Drawing>): DrawingLoop {
  const now = options.now ?? (() => performance.now());
  let next: string | undefined;
  let last: string | undefined;
  let isDrawing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Counts calls of `clear`: a drawing that began before one is not shown after it.
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
      // Allow a retry of the same source, because perhaps only the renderer's code failed to load.
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
