/** How requests say who asks: own headers, and a token or the site's cookies. */
import type { AccessOptions, Environment, StreamProblem } from './types';

/** The `token` function of the page failed. */
export class NoToken extends Error {
  readonly problem: StreamProblem = {
    code: 'token_unavailable',
    message: 'Access to the server couldn’t be renewed.',
    isRetryable: true,
  };
}

export class Access {
  readonly #options: AccessOptions;
  readonly #env: Environment;
  readonly hasToken: boolean;
  /** Whether the server gets its cookies, so that a write must carry the CSRF token of one. */
  readonly hasCookies: boolean;
  readonly credentials: RequestCredentials;
  /** Whether another origin has never answered this page: it may not accept it at all. */
  isUnproven: boolean;

  constructor(baseUrl: string, env: Environment, options: AccessOptions) {
    this.#options = options;
    this.#env = env;
    this.isUnproven = env.isForeign(baseUrl);
    this.hasToken = options.token !== undefined;
    this.credentials = options.credentials ?? (this.hasToken ? 'omit' : 'same-origin');
    const isSent = this.credentials === 'include' || (this.credentials === 'same-origin' && !this.isUnproven);
    this.hasCookies = isSent && !this.hasToken;
  }

  /** Asks anew each time. Rejects with `NoToken` only. */
  async token(isRenewal: boolean): Promise<string | undefined> {
    const { token } = this.#options;
    try {
      return typeof token === 'function' ? await token({ isRenewal }) : token;
    } catch {
      throw new NoToken();
    }
  }

  /** Whether the server may accept another token than the one that it refused. */
  get canRenew(): boolean {
    return typeof this.#options.token === 'function';
  }

  /** Sends a request. If its token is refused, sends it once more with a renewed one. */
  async fetch(url: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const response = await this.#send(url, init, false);
    return response.status === 401 && this.canRenew ? this.#send(url, init, true) : response;
  }

  async #send(url: string, init: RequestInit & { headers: Record<string, string> }, isRenewal: boolean) {
    const { headers } = this.#options;
    const all = new Headers(typeof headers === 'function' ? await headers() : headers);
    const token = await this.token(isRenewal);
    if (token !== undefined) all.set('Authorization', `Bearer ${token}`);
    for (const [name, value] of Object.entries(init.headers)) all.set(name, value);
    const { credentials } = this;
    const response = await this.#env.fetch(url, { ...init, headers: all, credentials, cache: 'no-store' });
    this.isUnproven = false;
    return response;
  }
}
