/** The clients of the elements on a page: those that need no token share one per server. */
import { sitePath } from '../ai/environment';
import { StreamClient } from '../ai/streamClient';
import type { AccessOptions } from '../ai/types';

const shared = new Map<string, StreamClient>();

/** @param baseUrl - empty: the site that served this page. */
export function sharedClient(baseUrl: string): StreamClient {
  const url = baseUrl || sitePath();
  const client = shared.get(url) ?? new StreamClient({ baseUrl: url });
  shared.set(url, client);
  return client;
}

/** Whose answers an element asks for. */
export interface OwnAccess {
  baseUrl: string;
  token: string;
  getToken: AccessOptions['getToken'];
}

/** The client of one element that has a token. It is kept until the server or the access changes. */
export class OwnClient {
  #access: OwnAccess | undefined;
  #client: StreamClient | undefined;

  /** @param current - gives the attribute's token for each request, because it may be renewed. */
  for(access: OwnAccess, current: () => string): StreamClient {
    const { baseUrl, token, getToken } = access;
    const isSame = this.#access?.baseUrl === baseUrl && this.#access.token === token && this.#access.getToken === getToken;
    if (this.#client && isSame) return this.#client;
    this.#access = access;
    this.#client = new StreamClient({ ...(baseUrl && { baseUrl }), getToken: getToken ?? current });
    return this.#client;
  }
}
