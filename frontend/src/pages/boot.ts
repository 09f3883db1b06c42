/** What Django wrote into the page beside `/api`: who is here, and where to sign in. */
export interface Boot {
  user: string | null;
  isAdmin: boolean;
  loginUrl: string | null;
}

export const NOBODY: Boot = { user: null, isAdmin: false, loginUrl: null };

/** Read the JSON script `#boot`; without one, or with a broken one, nobody is here. */
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

/** Where to sign in so that one comes back to the page at `path`; undefined where nobody can. */
export function signInUrl({ loginUrl }: Boot, path: string): string | undefined {
  if (loginUrl === null) return undefined;
  const [address = '', query = ''] = loginUrl.split('?');
  const members = new URLSearchParams(query);
  // The page came with the address that it was loaded at; the reader has moved on since.
  if (members.has('next')) members.set('next', path);
  return members.size > 0 ? `${address}?${members}` : address;
}
