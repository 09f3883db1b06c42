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
      const [, name, value = ''] = /^([^=;]+)=([^;]*)/u.exec(line) ?? [];
      if (name === undefined) continue;
      if (value === '' || value === '""' || /;\s*max-age=0\s*(;|$)/iu.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  /** Adds the cookies, and the origin that the server wants with them, to a request's headers. */
  addTo(headers: Headers): void {
    if (this.#cookies.size === 0) return;
    const all = [...this.#cookies].map(([name, value]) => `${name}=${value}`);
    headers.set('Cookie', [headers.get('Cookie'), ...all].filter(Boolean).join('; '));
    headers.set('Origin', new URL(this.#baseUrl).origin);
  }
}
