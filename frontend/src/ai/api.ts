/** The JSON calls to the server: configuration, block types, streams. */
import { Access } from './access';
import { browserEnvironment, sitePath } from './environment';
import type { Item, RunStatus } from './core/events';
import { ApiError, problemOf } from './problem';
import type { AccessOptions, Environment, PathOptions, TransportName } from './types';

export interface Config {
  streaming: {
    enabled: boolean;
    backend: TransportName;
    fallback: boolean;
    message: string;
    /** Everything is stopped, and starts are refused. Servers before 0.2 don't say. */
    paused?: boolean;
  };
  limits: Record<string, unknown>;
  user: { username: string } | null;
  demo_model: boolean;
  /** What writes with a cookie must carry; null for the holder of a token. */
  csrf_token: string | null;
}
export type OutputName = 'markdown' | 'quiz' | 'diagram' | 'json';
export interface BlockInfo {
  slug: string;
  title: string;
  description: string;
  output: OutputName;
  model: string;
  /** A JSON Schema of type object. */
  options: Record<string, unknown>;
  prompt_limit: number;
  /** The sample answers that visitors may see. */
  samples: SampleInfo[];
}
/** An answer that was written by hand. A start with its name and its prompt replays it. */
export interface SampleInfo {
  name: string;
  /** What it shows ("Quiz"). */
  label: string;
  prompt: string;
}
/** A stream, as `GET /api/streams/{id}` returns it. */
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
  usage: { input_tokens: number; output_tokens: number; estimated?: boolean } | null;
  finish_reason: string | null;
  dropped: Record<string, number> | null;
  error: { code: string; message: string; retryable: boolean } | null;
  request_id: string | null;
  /** The stream whose answer this one continues. If that was deleted, its id is `not_found`. */
  continues: string | null;
  /** The name of the sample answer that it replays; null if a model answers. */
  sample: string | null;
}
export type StreamSummary = Omit<StreamResource, 'items'>;
export interface HistoryPage {
  results: StreamSummary[];
  /** The cursor of the next page; null on the last page. */
  next: string | null;
}
export interface HistoryFilter {
  status?: RunStatus;
  blockType?: string;
  q?: string;
  cursor?: string;
  limit?: number;
}

/** How long calls share a request for the configuration that isn't answered yet, in ms. */
const SHARED_MS = 5_000;

/**
 * Every call rejects with an `ApiError` and nothing else.
 *
 * @example
 * ```ts
 * const api = new Api('https://ai.example.com', {}, { token: 'secret' });
 * ```
 */
export class Api {
  readonly #baseUrl: string;
  readonly #apiPath: string;
  readonly #env: Environment;
  #csrfToken: string | null | undefined;
  #cookies = ''; // when the token came
  #asking: Promise<Config> | undefined;
  #askedAt = 0;
  /** For the transports. */
  readonly access: Access;

  constructor(baseUrl = sitePath(), environment: Partial<Environment> = {}, options: AccessOptions & PathOptions = {}) {
    this.#baseUrl = baseUrl;
    this.#apiPath = options.apiPath ?? '/api';
    this.#env = { ...browserEnvironment(), ...environment };
    this.access = new Access(baseUrl, this.#env, options);
  }

  /** Returns the address of a call, e.g. of `/blocks`. */
  url(path: string): string {
    return this.#baseUrl + this.#apiPath + path;
  }

  /**
   * Also sets the CSRF cookie, and keeps its token for writes. Calls at the same time share a request,
   * because each one without a cookie begins a session of its own.
   */
  config(): Promise<Config> {
    const now = this.#env.now();
    // A network may swallow a request for minutes: later calls don't wait for it.
    if (this.#asking && now - this.#askedAt < SHARED_MS) return this.#asking;
    const asking = this.#askConfig().finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    this.#askedAt = now;
    return asking;
  }

  async #askConfig(): Promise<Config> {
    const config = await this.#json<Config>('GET', '/config');
    this.#csrfToken = config.csrf_token;
    this.#cookies = this.#env.cookies();
    return config;
  }

  async blocks(): Promise<BlockInfo[]> {
    const page = await this.#json<{ results: BlockInfo[] }>('GET', '/blocks');
    return page.results;
  }

  /** Whether the server itself responds, not only a proxy in front of it. Never rejects. */
  async isAlive(): Promise<boolean> {
    try {
      const response = await this.access.fetch(`${this.#baseUrl}/healthz`, { headers: {} });
      return response.ok && ((await response.json()) as { status: unknown }).status === 'ok';
    } catch {
      return false;
    }
  }

  stream(streamId: string): Promise<StreamResource> {
    return this.#json('GET', `/streams/${encodeURIComponent(streamId)}`);
  }

  /** Returns the newest streams first. */
  streams(filter: HistoryFilter = {}): Promise<HistoryPage> {
    const query = new URLSearchParams();
    if (filter.status) query.set('status', filter.status);
    if (filter.blockType) query.set('block_type', filter.blockType);
    if (filter.q) query.set('q', filter.q);
    if (filter.cursor) query.set('cursor', filter.cursor);
    if (filter.limit) query.set('limit', String(filter.limit));
    const text = query.toString();
    return this.#json('GET', `/streams${text && `?${text}`}`);
  }

  /** Removes a finished stream from history. Fails with 409 `still_running` while it is running. */
  async remove(streamId: string): Promise<void> {
    await this.#call('DELETE', `/streams/${encodeURIComponent(streamId)}`);
  }

  /** Stops a generation. Resolves once the stream has ended. */
  cancel(streamId: string): Promise<StreamResource> {
    return this.#json('POST', `/streams/${encodeURIComponent(streamId)}/cancel`, {});
  }

  /**
   * Stops a generation before its stream id is known. `stream_id` is null if the server has no such
   * request yet.
   */
  cancelRequest(requestId: string): Promise<{ stream_id: string | null; status: RunStatus }> {
    return this.#json('POST', '/streams/cancel', { request_id: requestId });
  }

  /** Returns the headers of a write request, including the CSRF token if it needs one. */
  async writeHeaders(withFreshToken = false): Promise<Record<string, string>> {
    if (!this.access.hasCookies) return { 'Content-Type': 'application/json' };
    // Another tab may have signed in or out, which renews the cookie.
    const isStale = this.#csrfToken === undefined || this.#cookies !== this.#env.cookies();
    if (withFreshToken || isStale) await this.config();
    const token = this.#csrfToken;
    return { 'Content-Type': 'application/json', ...(token ? { 'X-CSRFToken': token } : {}) };
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#call(method, path, body);
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError(
        { code: 'malformed', message: 'The server’s answer couldn’t be read.', isRetryable: true },
        response.status,
      );
    }
  }

  async #call(method: string, path: string, body?: unknown, withFreshToken = false): Promise<Response> {
    const headers: Record<string, string> = {
      Accept: 'application/json',
      ...(method === 'GET' ? {} : await this.writeHeaders(withFreshToken)),
    };
    let response: Response;
    try {
      response = await this.access.fetch(this.url(path), {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError(
        { code: 'unreachable', message: 'The server can’t be reached.', isRetryable: true },
        0,
      );
    }
    if (response.ok) return response;
    const [problem] = await problemOf(response, this.#env.now());
    // The session may have been renewed in the meantime: retry once with a fresh token.
    if (problem.code === 'csrf_failed' && !withFreshToken) return this.#call(method, path, body, true);
    throw new ApiError(problem, response.status);
  }
}
