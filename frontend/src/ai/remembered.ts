/** Which stream a hook followed, for the reload of its tab. */

const KEY = 'liveai:stream:';

export function remember(id: string, streamId: string | undefined): void {
  try {
    if (streamId === undefined) sessionStorage.removeItem(KEY + id);
    else sessionStorage.setItem(KEY + id, streamId);
  } catch {
    // Storage is off: a reload begins anew.
  }
}

export function recall(id: string): string | undefined {
  try {
    return sessionStorage.getItem(KEY + id) ?? undefined;
  } catch {
    return undefined;
  }
}
