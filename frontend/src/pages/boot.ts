/**
 * What Django writes into the page in addition to `/api`: the user, and the address for signing in.
 */
export interface Boot {
  user: string | null;
  isAdmin: boolean;
  loginUrl: string | null;
}

export const NOBODY: Boot = { user: null, isAdmin: false, loginUrl: null };

/** Reads the JSON script `#boot`. Without one, or with an invalid one, nobody is signed in. */
export function readBoot(page: Document = document): Boot {
  const text = page.getElementById('boot')?.textContent;
  if (!text) return NOBODY;
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== 'object' || said === null) return NOBODY;
    const { user, admin, loginUrl } = said as Record<string, unknown>;
    return {
      user: typeof user === 'string' ? user : null,
      isAdmin: admin === true,
      loginUrl: typeof loginUrl === 'string' ? loginUrl : null,
    };
  } catch {
    return NOBODY;
  }
}

/**
 * Returns the address for signing in and returning to `path`; undefined if signing in is
 * impossible.
 */
export function signInUrl({ loginUrl }: Boot, path: string): string | undefined {
  if (loginUrl === null) return undefined;
  const [address = '', query = ''] = loginUrl.split('?');
  const members = new URLSearchParams(query);
  // `next` holds the address of the initial load; the reader may have navigated since.
  if (members.has('next')) members.set('next', path);
  return members.size > 0 ? `${address}?${members}` : address;
}
