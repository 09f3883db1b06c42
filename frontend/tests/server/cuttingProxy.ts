/** A TCP proxy that cuts the connections that carry a stream. */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface CutPlan {
  /** Each streaming connection is cut after the next of these numbers of bytes from the server. */
  cutsAfterBytes: number[];
  /**
   * After so many cuts, so many consecutive attempts on one transport are refused, so that the
   * other takes over.
   */
  block?: { kind: 'sse' | 'websocket'; afterCuts: number; times: number };
}

export class CuttingProxy {
  cuts = 0;
  blocked = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isDown = false;
  #isSwallowing = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(targetPort: number, plan: CutPlan): Promise<CuttingProxy> {
    const server = createServer();
    const proxy = new CuttingProxy(server);
    server.on('connection', (client) => proxy.#connected(client, targetPort, plan));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts everything, and refuses it from now on. */
  goDown(): void {
    this.#isDown = true;
    for (const socket of this.#open) socket.destroy();
  }

  comeBack(): void {
    this.#isDown = false;
  }

  /** Requests and sockets arrive, but no answer comes back on the connections that carry a stream. */
  swallowAnswers(): void {
    this.#isSwallowing = true;
  }

  deliverAnswers(): void {
    this.#isSwallowing = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connected(client: Socket, targetPort: number, plan: CutPlan): void {
    if (this.#isDown) return void client.destroy();
    const target = connect(targetPort, '127.0.0.1');
    let left = Number.POSITIVE_INFINITY;
    let isStream = false;
    const cut = () => {
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) {
      this.#open.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#open.delete(socket);
        cut();
      });
    }
    client.on('data', (data: Buffer) => {
      const kind = kindOf(data);
      if (kind && this.#isBlocked(kind, plan)) return cut();
      // A connection may be reused, so each streaming request has its own cut.
      if (kind) isStream = true;
      if (kind) left = plan.cutsAfterBytes[this.cuts] ?? Number.POSITIVE_INFINITY;
      target.write(data);
    });
    target.on('data', (data: Buffer) => {
      const isHandshake = data.subarray(0, 12).toString('latin1') === 'HTTP/1.1 101';
      if (isStream && this.#isSwallowing && !isHandshake) return;
      client.write(data.subarray(0, Math.min(data.length, left)));
      left -= data.length;
      if (left <= 0) {
        this.cuts += 1;
        left = Number.POSITIVE_INFINITY;
        cut();
      }
    });
  }

  #isBlocked(kind: 'sse' | 'websocket', { block }: CutPlan): boolean {
    if (block?.kind !== kind || this.cuts < block.afterCuts || this.blocked >= block.times) {
      return false;
    }
    this.blocked += 1;
    return true;
  }
}

/** Returns which transport a request opens a stream on, if any. */
function kindOf(data: Buffer): 'sse' | 'websocket' | undefined {
  const line = data.subarray(0, 200).toString('latin1');
  if (/^GET (\/ai)?\/ws\/stream/.test(line)) return 'websocket';
  if (/^(POST|GET) (\/ai)?\/api\/(stream\/ai-block\/|streams\/[\w-]+\/events)/.test(line)) return 'sse';
  return undefined;
}
