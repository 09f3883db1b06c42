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
