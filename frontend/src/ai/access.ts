/** How requests say who asks: own headers, and a token or the site's cookies. */
import { CookieJar } from './cookieJar';
import { ApiError } from './problem';
import type { AccessOptions, Environment } from './types';

export class Access {
  readonly #options: AccessOptions;
  readonly #env: Environment;
  readonly #token: AccessOptions['token'];
  readonly #jar: CookieJar;
  readonly hasToken: boolean;
  /** Whether the server gets its cookies, so that a write must carry the CSRF token of one. */
  readonly hasCookies: boolean;
  readonly credentials: RequestCredentials;
  /** Whether another origin has never answered this page: it may not accept it at all. */
  isUnproven: boolean;

  constructor(baseUrl: string, env: Environment, options: AccessOptions) {
    this.#options = options;
    this.#env = env;
    this.#token = options.getToken ?? options.token;
    this.#jar = new CookieJar(baseUrl);
    this.isUnproven = env.isForeign(baseUrl);
    this.hasToken = this.#token !== undefined;
    const byDefault = env.hasOrigin() ? 'same-origin' : 'include';
    this.credentials = options.credentials ?? (this.hasToken ? 'omit' : byDefault);
    const isSent = this.credentials === 'include' || (this.credentials === 'same-origin' && !this.isUnproven);
    this.hasCookies = isSent && !this.hasToken;
  }

  /** Asks the page anew each time. Rejects with an `ApiError` if the page has no token now. */
  async token(isRenewal: boolean): Promise<string | undefined> {
    const token = this.#token;
    try {
      return typeof token === 'function' ? await token({ isRenewal }) : token;
    } catch {
      const message = 'Access to the server couldn’t be renewed.';
      throw new ApiError({ code: 'token_unavailable', message, isRetryable: true }, 0);
    }
  }

  /** Whether the server may accept another token than the one that it refused. */
  get canRenew(): boolean {
    return typeof this.#token === 'function';
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
    const { fetch } = this.#env; // a browser's own accepts no other object as `this`
    if (this.hasCookies) this.#jar.addTo(all);
    const response = await fetch(url, { ...init, headers: all, credentials, cache: 'no-store' });
    this.isUnproven = false;
    if (this.hasCookies) this.#jar.keep(response);
    return response;
  }

  /** What a socket of Node, Deno or Bun takes as its second argument, to send the cookies along. */
  socketOptions(): { headers: Record<string, string> } | undefined {
    const headers = new Headers();
    if (this.hasCookies) this.#jar.addTo(headers);
    return headers.has('cookie') ? { headers: Object.fromEntries(headers) } : undefined;
  }
}
