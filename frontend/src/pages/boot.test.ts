import { describe, expect, it } from 'vitest';

import { NOBODY, readBoot, signInUrl, signUpUrl } from './boot';

function pageWith(text: string): Document {
  const page = document.implementation.createHTMLDocument();
  const script = page.createElement('script');
  script.id = 'boot';
  script.type = 'application/json';
  script.textContent = text;
  page.body.append(script);
  return page;
}

describe('the data that Django writes into the page', () => {
  it('is read', () => {
    const urls = { loginUrl: '/in', signUpUrl: null, accountUrl: '/account', dataUrl: '/data', logoutUrl: '/out' };
    const page = pageWith(JSON.stringify({ user: 'ada', admin: true, mustSignIn: true, ...urls }));
    expect(readBoot(page)).toEqual({ user: 'ada', isAdmin: true, mustSignIn: true, ...urls });
  });

  it.each(['', 'null', '{', '[]', '{"user": 1, "admin": "yes"}'])('names nobody if it is %j', (text) => {
    expect(readBoot(pageWith(text))).toEqual(NOBODY);
  });

  it('is empty if there is none', () => {
    expect(readBoot(document.implementation.createHTMLDocument())).toEqual(NOBODY);
  });
});

describe('the address for signing in', () => {
  const boot = (loginUrl: string | null) => ({ ...NOBODY, loginUrl });

  it('returns to the current page', () => {
    expect(signInUrl(boot('/admin/login/?next=%2F'), '/streams/abc')).toBe('/admin/login/?next=%2Fstreams%2Fabc');
  });

  it('is unchanged if it has no return address', () => {
    expect(signInUrl(boot('/sign-in'), '/streams/abc')).toBe('/sign-in');
  });

  it('is missing if signing in is impossible', () => {
    expect(signInUrl(boot(null), '/')).toBeUndefined();
    expect(signUpUrl(NOBODY, '/')).toBeUndefined();
  });
});
