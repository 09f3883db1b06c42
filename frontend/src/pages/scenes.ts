/** Which block stands under which address, so that an answer keeps its place while the address follows it. */
import type { StreamInput } from '../ai';

/** Where a scene began: a block's composer, or a stream that exists. */
export type Origin =
  | { kind: 'block'; slug: string; ask?: StreamInput }
  | { kind: 'stream'; streamId: string };

/** One block on the page, from its mounting on, over all the addresses that it takes. */
export interface Scene {
  readonly key: number;
  readonly origin: Origin;
}

/** The address of a block's composer. */
export function blockPath(slug: string): string {
  return `/blocks/${encodeURIComponent(slug)}`;
}

/** The address of a stream. */
export function streamPath(streamId: string): string {
  return `/streams/${encodeURIComponent(streamId)}`;
}

/** What an address names; undefined for any other page. */
export function originOf(path: string): Origin | undefined {
  const [, place, name, ...rest] = path.replace(/\/$/, '').split('/');
  if (!name || rest.length > 0) return undefined;
  if (place === 'blocks') return { kind: 'block', slug: decoded(name) };
  if (place === 'streams') return { kind: 'stream', streamId: decoded(name) };
  return undefined;
}

/**
 * Holds the one scene that is shown.
 *
 * An address that the scene itself went to is still that scene: the block is not mounted anew, and
 * an answer that is being written does not flicker. Any other address is a new scene. It is no
 * React state, because the address and the scene have to change in the same render.
 */
export class Scenes {
  private current: { scene: Scene; path: string } | undefined;
  private handedOver: { path: string; ask: StreamInput } | undefined;
  private lastKey = 0;

  /** The scene at an address. Asked twice, it is the same one. */
  at(path: string): Scene | undefined {
    if (this.current?.path === path) return this.current.scene;
    const origin = originOf(path);
    if (!origin) {
      this.current = undefined;
      return undefined;
    }
    const ask = this.handedOver?.path === path ? this.handedOver.ask : undefined;
    this.handedOver = undefined;
    const scene: Scene = {
      key: ++this.lastKey,
      origin: origin.kind === 'block' && ask ? { ...origin, ask } : origin,
    };
    this.current = { scene, path };
    return scene;
  }

  /**
   * The scene goes on under another address.
   *
   * @returns false where that scene is no longer shown: then the address is not its to change.
   */
  move(scene: Scene, path: string): boolean {
    if (this.current?.scene !== scene) return false;
    this.current = { scene, path };
    return true;
  }

  /** Give the next scene at a block's address something to ask at once. Kept in memory, told to nobody. */
  handOver(slug: string, ask: StreamInput): void {
    this.handedOver = { path: blockPath(slug), ask };
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
