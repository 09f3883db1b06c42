/** The interface between pages and blocks. */
import type { ReactNode } from 'react';
import type { BlockInfo, StreamInput, StreamResource } from '@liveai/client';

export interface BlockProps {
  /** From `GET /api/blocks`. */
  block: BlockInfo;
  /** An existing stream to show, and to follow while it runs. */
  stream?: StreamResource;
  /** The streams that `stream` continues, the oldest first. */
  earlier?: readonly StreamResource[];
  /** The initial text of the composer, instead of the draft. It is not asked. */
  initialPrompt?: string;
  /** Asked once when the block mounts: the input from another page's composer. */
  initialAsk?: StreamInput;
  /** Whether the model is the small demo model, which is often wrong. */
  isDemoModel?: boolean;
  /**
   * Called when a stream that was asked for here exists, so that the page can put it into the
   * address.
   */
  onStarted?(streamId: string): void;
  /**
   * Called after "Ask something else": the composer is back, and the page leaves the stream's
   * address.
   */
  onAskElse?(): void;
  /** Returns the address of a stream, for "Copy link". */
  link?(streamId: string): string;
  /** The menu of actions for the shown answer as a whole. */
  menu?(answer: ShownAnswer): ReactNode;
}

/** An answer on the page. */
export interface ShownAnswer {
  /** The streams that wrote it, the oldest first. */
  streamIds: readonly string[];
  isRunning: boolean;
}

/** An example prompt, and the block it is for if that is not the chosen one. */
export interface Example {
  prompt: string;
  kind?: string;
}
