/** Remembers which stream a hook followed, so that it can resume after the tab reloads. */

const KEY = 'liveai:stream:';

export function remember(id: string, streamId: string | undefined): void {
  try {
    if (streamId === undefined) sessionStorage.removeItem(KEY + id);
    else sessionStorage.setItem(KEY + id, streamId);
  } catch {
    // Storage is disabled, so a reload starts from scratch.
  }
}

export function recall(id: string): string | undefined {
  try {
    return sessionStorage.getItem(KEY + id) ?? undefined;
  } catch {
    return undefined;
  }
}
