/** The golden runs, from the same files that the server's tests read. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Item, RunStatus, TerminalEvent } from '../core/events';

const FOLDER = fileURLToPath(
  new URL('../../../../specs/050-live-ai-interaction/fixtures/', import.meta.url),
);

export interface Final {
  text: string;
  items: Item[];
  arriving: Record<string, string>;
  seq: number;
  status: RunStatus;
  terminal: TerminalEvent | null;
}
export interface Attach {
  after: number;
  http_status?: number;
  refused?: string;
  sse?: string[];
  websocket?: string[];
}
export interface GoldenRun {
  name: string;
  sse: string[];
  websocket: string[];
  final: Final;
  attaches: Attach[];
}

export const RUNS: GoldenRun[] = readdirSync(FOLDER)
  .filter((name) => name.startsWith('run-'))
  .map((name) => JSON.parse(readFileSync(FOLDER + name, 'utf8')) as GoldenRun);
