/** The JSON calls of the server: settings, block types, streams. */
import type { Item, RunStatus } from './events';
import type { Environment, StreamProblem, TransportName } from './types';

export interface Config {
  streaming: { enabled: boolean; backend: TransportName; fallback: boolean; message: string };
  limits: Record<string, unknown>;
  user: { username: string } | null;
  demo_model: boolean;
}
export type OutputName = 'markdown' | 'quiz' | 'diagram' | 'json';
export interface BlockInfo {
  slug: string;
  title: string;
  description: string;
  output: OutputName;
  model: string;
  /** JSON Schema of an object. */
  options: Record<string, unknown>;
  prompt_limit: number;
}
export interface StreamResource {
  stream_id: string;
  block_type: string;
  prompt: string;
  options: Record<string, unknown>;
  model: string;
  status: RunStatus;
  text: string;
  items: Item[];
  arriving: Record<string, string>;
  result: Record<string, unknown> | null;
  seq: number;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  ttft_ms: number | null;
  usage: { input_tokens: number; output_tokens: number } | null;
  finish_reason: string | null;
  dropped: Record<string, number> | null;
  error: { code: string; message: string; retryable: boolean } | null;
  request_id: string | null;
}
export type StreamSummary = Omit<StreamResource, 'items'>;
export interface HistoryPage {
  results: StreamSummary[];
  next: string | null;
}
export interface HistoryFilter {
  status?: RunStatus;
  blockType?: string;
  q?: string;
  cursor?: string;
}
