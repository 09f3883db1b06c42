/** An anonymous visitor without a browser, with a cookie store like a browser's. */
import type { Environment } from '../../src/ai/types';

type SocketWithHeaders = new (url: string, init: object) => WebSocket;

export class Visitor {
  readonly #cookies = new Map<string, string>();

  environment(): Partial<Environment> {
    const header = () => [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const Socket = globalThis.WebSocket as unknown as SocketWithHeaders;
    // If a function returns an object, `new` returns that object.
    const VisitorSocket = function open(url: string) {
      const origin = new URL(url).origin.replace(/^ws/, 'http');
      return new Socket(url, { headers: { cookie: header(), origin } });
    };
    return {
      fetch: async (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('Cookie', header());
        const response = await globalThis.fetch(input, { ...init, headers });
        for (const line of response.headers.getSetCookie()) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
        }
        return response;
      },
      WebSocket: VisitorSocket as unknown as typeof WebSocket,
      cookies: header,
      onWake: () => () => undefined,
    };
  }
}

/** Pseudo-random numbers from [0, 1) for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
