/** Maps addresses to blocks, so that an answer stays mounted while its address changes. */
import type { StreamInput } from '@liveai/client';

/** Where a scene started: at a block's composer, or at an existing stream. */
export type Origin =
  | { kind: 'block'; slug: string; ask?: StreamInput }
  | { kind: 'stream'; streamId: string };

/** One mounted block, across all the addresses it takes. */
export interface Scene {
  readonly key: number;
  readonly origin: Origin;
}

/** Returns the address of a block's composer. */
export function blockPath(slug: string): string {
  return `/blocks/${encodeURIComponent(slug)}`;
}

/** Returns the address of a stream. */
export function streamPath(streamId: string): string {
  return `/streams/${encodeURIComponent(streamId)}`;
}

/** Returns what an address names; undefined for any other page. */
export function originOf(path: string): Origin | undefined {
  const [, place, name, ...rest] = path.replace(/\/$/, '').split('/');
  if (!name || rest.length > 0) return undefined;
  if (place === 'blocks') return { kind: 'block', slug: decoded(name) };
  if (place === 'streams') return { kind: 'stream', streamId: decoded(name) };
  return undefined;
}

/**
 * Holds the scene that is shown.
 *
 * A scene may change its own address and stay the same scene: the block is not mounted again, and a
 * running answer does not flicker. Any other address starts a new scene. This is not React state,
 * because the address and the scene must change in the same render.
 */
export class Scenes {
  private current: { scene: Scene; path: string } | undefined;
  private handedOver: { path: string; ask: StreamInput } | undefined;
  private lastKey = 0;

  /** Returns the scene at an address, and the same one when called again. */
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
   * Moves the scene to another address.
   *
   * @returns false if the scene is no longer shown; then it must not change the address.
   */
  move(scene: Scene, path: string): boolean {
    if (this.current?.scene !== scene) return false;
    this.current = { scene, path };
    return true;
  }

  /**
   * Gives the next scene at a block's address an input to ask at once. Kept in memory only, never
   * in the address.
   */
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
