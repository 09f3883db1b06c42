/** A stream that the test itself writes, for what a real server can't be made to send on request. */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Page, WebSocketRoute } from 'playwright-core';

import type { StreamEvent } from '../../src/ai';
import type { TransportName } from '../../src/ai';

export const STREAM_ID = 'Zm9ydHktdHdvLXN0cmVhbQ';

const START = {
  type: 'start',
  stream_id: STREAM_ID,
  block_type: 'ask-question',
  model: 'scripted:pages',
  status: 'queued',
  after: -1,
  created_at: '2026-01-01T00:00:00Z',
  request_id: null,
  continues: null,
};

/** Takes the place of the server for the next start on a page, and for its cancel. All else goes to the server. */
export class ScriptedStream {
  /** How often a cancel was asked for. */
  cancels = 0;
  readonly #server: Server;
  #say: ((event: object) => void) | undefined;
  #opened: () => void = () => undefined;
  readonly #isOpen = new Promise<void>((resolve) => {
    this.#opened = resolve;
  });

  private constructor(server: Server) {
    this.#server = server;
  }

  static async on(page: Page, transport: TransportName): Promise<ScriptedStream> {
    const server = createServer();
    const stream = new ScriptedStream(server);
    server.on('request', (_, response) => stream.#answer(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    if (transport === 'sse') await page.route('**/api/stream/ai-block/*', (route) => route.continue({ url }));
    else await page.routeWebSocket(/\/ws\/stream/, (socket) => stream.#take(socket));
    await page.route('**/api/streams/*/cancel', async (route) => {
      stream.cancels += 1;
      await stream.send({ type: 'cancelled', stream_id: STREAM_ID, seq: 0, by: 'owner' });
      await route.fulfill({ json: { stream_id: STREAM_ID, status: 'cancelled' } });
    });
    return stream;
  }

  /** Waits for the page's start. */
  async send(...events: StreamEvent[]): Promise<void> {
    await this.#isOpen;
    for (const event of events) this.#say?.(event);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    this.#begin((event) => response.write(`data: ${JSON.stringify(event)}\n\n`));
  }

  #take(socket: WebSocketRoute): void {
    socket.onMessage((message) => {
      const frame = JSON.parse(String(message)) as { type: string; ref?: string };
      if (frame.type === 'start') this.#begin((event) => socket.send(JSON.stringify(event)), { ref: frame.ref });
    });
  }

  #begin(say: (event: object) => void, extra: object = {}): void {
    this.#say = say;
    say({ ...START, ...extra });
    this.#opened();
  }
}
