/** What pages and blocks have agreed upon. */
import type { BlockInfo, StreamInput, StreamResource } from '../ai';

export interface BlockProps {
  /** From `GET /api/blocks`. */
  block: BlockInfo;
  /** A stream that exists, to be shown, and followed while it runs. */
  stream?: StreamResource;
  /** What the composer begins with, instead of the draft. It is not asked. */
  initialPrompt?: string;
  /** Asked at once, and once, when the block mounts: what was typed into another page's composer. */
  initialAsk?: StreamInput;
  /** Whether the model is the demo's tiny one, which is often wrong. */
  isDemoModel?: boolean;
  /** The stream that was asked for here exists: the page puts it into the address. */
  onStarted?(streamId: string): void;
  /** "Ask something else" was chosen: the composer is there again; the page leaves the stream's address. */
  onAskElse?(): void;
}

/** A prompt to begin from, and the block it is for, if not the chosen one. */
export interface Example {
  prompt: string;
  kind?: string;
}
