/**
 * What Django writes into the page in addition to `/api`: the user, and the addresses of accounts.
 */
export interface Boot {
  user: string | null;
  isAdmin: boolean;
  /** Whether only people with an account may ask. */
  mustSignIn: boolean;
  loginUrl: string | null;
  /** Null where visitors can't sign up by themselves. */
  signUpUrl: string | null;
  accountUrl: string | null;
  /** The page on which one exports and deletes all answers, with or without an account. */
  dataUrl: string | null;
  logoutUrl: string | null;
}

export const NOBODY: Boot = {
  user: null,
  isAdmin: false,
  mustSignIn: false,
  loginUrl: null,
  signUpUrl: null,
  accountUrl: null,
  dataUrl: null,
  logoutUrl: null,
};

/** Reads the JSON script `#boot`. Without one, or with an invalid one, nobody is signed in. */
export function readBoot(page: Document = document): Boot {
  const text = page.getElementById('boot')?.textContent;
  if (!text) return NOBODY;
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== 'object' || said === null) return NOBODY;
    const members = said as Record<string, unknown>;
    const textOf = (name: string) => (typeof members[name] === 'string' ? members[name] : null);
    return {
      user: textOf('user'),
      isAdmin: members['admin'] === true,
      mustSignIn: members['mustSignIn'] === true,
      loginUrl: textOf('loginUrl'),
      signUpUrl: textOf('signUpUrl'),
      accountUrl: textOf('accountUrl'),
      dataUrl: textOf('dataUrl'),
      logoutUrl: textOf('logoutUrl'),
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
  return backTo(loginUrl, path);
}

/** The same for signing up. */
export function signUpUrl({ signUpUrl: url }: Boot, path: string): string | undefined {
  return backTo(url, path);
}

function backTo(url: string | null, path: string): string | undefined {
  if (url === null) return undefined;
  const [address = '', query = ''] = url.split('?');
  const members = new URLSearchParams(query);
  // `next` holds the address of the initial load; the reader may have navigated since.
  if (members.has('next')) members.set('next', path);
  return members.size > 0 ? `${address}?${members}` : address;
}
