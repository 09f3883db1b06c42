/**
 * The cookies of one server, where no browser keeps them: in Node, Deno and Bun. A browser shows no
 * page the cookies that it receives, so there the jar stays empty.
 */
export class CookieJar {
  readonly #cookies = new Map<string, string>();
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  keep({ headers }: Response): void {
    for (const line of headers.getSetCookie?.() ?? []) {
      const [pair = ''] = line.split(';', 1);
      const [name = ''] = pair.split('=', 1);
      // An empty value deletes a cookie.
      if (/^[^=]*=("")?$/u.test(pair)) this.#cookies.delete(name);
      else this.#cookies.set(name, pair);
    }
  }

  /** Adds the cookies, and the origin that the server wants with them, to a request's headers. */
  addTo(headers: Headers): void {
    if (this.#cookies.size === 0) return;
    headers.set('Cookie', [...this.#cookies.values()].join('; '));
    headers.set('Origin', new URL(this.#baseUrl).origin);
  }
}
