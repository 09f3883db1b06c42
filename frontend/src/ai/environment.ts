/** What the client needs of a browser, a Web Worker, or a server-side runtime such as Node. */
import type { Environment } from './types';

export function browserEnvironment(): Environment {
  return {
    fetch: (...args) => globalThis.fetch(...args),
    WebSocket: globalThis.WebSocket,
    now: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms) as unknown as number,
    clearTimeout: (id) => globalThis.clearTimeout(id),
    uuid: newRequestId,
    onWake,
    cookies: () => (typeof document === 'undefined' ? '' : document.cookie),
    isVisible: () => typeof document === 'undefined' || document.visibilityState === 'visible',
    isMultiplexed,
    isForeign: (baseUrl) => !hasOrigin() || originOf(baseUrl) !== location.origin,
    hasOrigin,
    channel,
  };
}

/**
 * Returns the path of the site that served this page, e.g. `/ai`: from `<meta name="site-path">`,
 * which Django writes. Empty if the site has the whole host, and on pages of other sites.
 */
export function sitePath(): string {
  if (typeof document === 'undefined') return '';
  const path = document.querySelector<HTMLMetaElement>('meta[name="site-path"]')?.content ?? '';
  return path.replace(/\/+$/u, '');
}

/** Returns a UUID. `crypto.randomUUID` exists on secure pages only, so not over plain HTTP in a local network. */
export function newRequestId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function onWake(callback: () => void): () => void {
  if (typeof window === 'undefined') return () => undefined;
  const whenVisible = () => {
    if (document.visibilityState === 'visible') callback();
  };
  window.addEventListener('online', callback);
  window.addEventListener('pageshow', callback);
  document.addEventListener('visibilitychange', whenVisible);
  return () => {
    window.removeEventListener('online', callback);
    window.removeEventListener('pageshow', callback);
    document.removeEventListener('visibilitychange', whenVisible);
  };
}

/** Whether this is a page or its worker. Node has no origin; Deno has one only if told. */
function hasOrigin(): boolean {
  return typeof location !== 'undefined';
}

/** Returns the origin that an address or a path belongs to. A browser counts its connections per origin. */
export function originOf(baseUrl: string): string {
  if (!hasOrigin()) return baseUrl;
  // The address of a worker that was made from a blob resolves no paths.
  const base = location.protocol === 'blob:' ? location.origin : location.href;
  return new URL(baseUrl, base).origin;
}

function isMultiplexed(baseUrl: string): boolean {
  if (!hasOrigin()) return true; // only browsers limit the connections to a site
  const origin = originOf(baseUrl);
  const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return (entries as PerformanceResourceTiming[]).some(
    ({ name, nextHopProtocol }) => name.startsWith(`${origin}/`) && /^h[23]/.test(nextHopProtocol),
  );
}

/** Unlike Web Locks, a BroadcastChannel exists on plain HTTP too. */
function channel(name: string, onMessage: (message: unknown) => void): ReturnType<Environment['channel']> {
  if (typeof window === 'undefined') return undefined;
  try {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({ data }) => onMessage(data);
    return {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target
      post: (message) => opened.postMessage(message),
    };
  } catch {
    return undefined; // an old browser, or one that blocks storage
  }
}
