import { describe, expect, it } from 'vitest';

import { NOBODY, readBoot, signInUrl } from './boot';

function pageWith(text: string): Document {
  const page = document.implementation.createHTMLDocument();
  const script = page.createElement('script');
  script.id = 'boot';
  script.type = 'application/json';
  script.textContent = text;
  page.body.append(script);
  return page;
}

describe('what Django wrote into the page', () => {
  it('is read', () => {
    const page = pageWith('{"user": "ada", "admin": true, "loginUrl": null}');
    expect(readBoot(page)).toEqual({ user: 'ada', isAdmin: true, loginUrl: null });
  });

  it.each(['', 'null', '{', '[]', '{"user": 1, "admin": "yes"}'])('is nobody where it is %j', (text) => {
    expect(readBoot(pageWith(text))).toEqual(NOBODY);
  });

  it('is nobody where there is nothing', () => {
    expect(readBoot(document.implementation.createHTMLDocument())).toEqual(NOBODY);
  });
});

describe('the way to sign in', () => {
  const boot = (loginUrl: string | null) => ({ ...NOBODY, loginUrl });

  it('leads back to where one is now', () => {
    expect(signInUrl(boot('/admin/login/?next=%2F'), '/streams/abc')).toBe('/admin/login/?next=%2Fstreams%2Fabc');
  });

  it('is as it was given where it knows no way back', () => {
    expect(signInUrl(boot('/sign-in'), '/streams/abc')).toBe('/sign-in');
  });

  it('is none where nobody can', () => {
    expect(signInUrl(boot(null), '/')).toBeUndefined();
  });
});
