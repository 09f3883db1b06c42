import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { NOBODY } from './boot';
import { CONFIG } from './fixtures';
import { WhoIsHere } from './WhoIsHere';

afterEach(() => {
  cleanup();
  document.cookie = 'csrftoken=; max-age=0';
});

const BOOT = {
  ...NOBODY,
  loginUrl: '/account/login/?next=%2F',
  signUpUrl: '/account/signup/?next=%2F',
  accountUrl: '/account/',
  dataUrl: '/account/data/',
  logoutUrl: '/account/logout/',
};
const ADA = { ...CONFIG, user: { username: 'ada' } };

const links = () => screen.getAllByRole('link').map((link) => [link.textContent, link.getAttribute('href')]);

describe('who is here', () => {
  it('is named, with the ways to the account and out', () => {
    render(<WhoIsHere config={ADA} boot={{ ...BOOT, user: 'ada' }} />);
    expect(screen.getByText('ada')).toBeTruthy();
    expect(links()).toEqual([['Account', '/account/']]);
    expect(screen.getByRole('button', { name: 'Sign out' })).toBeTruthy();
  });

  it('has the admin panel, too, if they may use it', () => {
    render(<WhoIsHere config={ADA} boot={{ ...BOOT, user: 'ada', isAdmin: true }} />);
    expect(links().map(([words]) => words)).toEqual(['Account', 'Admin']);
  });

  it('is somebody else after a sign-in in another tab', () => {
    render(<WhoIsHere config={ADA} boot={{ ...BOOT, user: 'bob', isAdmin: true }} />);
    expect(screen.getByText('ada')).toBeTruthy();
    expect(links().map(([words]) => words)).toEqual(['Account']);
  });

  it('signs out with the token of the moment', () => {
    render(<WhoIsHere config={ADA} boot={{ ...BOOT, user: 'ada' }} />);
    document.cookie = 'csrftoken=of-now';
    const form = screen.getByRole('button', { name: 'Sign out' }).closest('form')!;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.requestSubmit();
    expect([form.method, form.getAttribute('action')]).toEqual(['post', '/account/logout/']);
    expect(new FormData(form).get('csrfmiddlewaretoken')).toBe('of-now');
  });

  it('is nobody: there are ways in', () => {
    render(<WhoIsHere config={CONFIG} boot={BOOT} />);
    expect(links()).toEqual([
      ['Sign in', '/account/login/?next=%2F'],
      ['Sign up', '/account/signup/?next=%2F'],
    ]);
  });

  it('offers no sign-up where visitors need an invitation', () => {
    render(<WhoIsHere config={CONFIG} boot={{ ...BOOT, signUpUrl: null }} />);
    expect(links().map(([words]) => words)).toEqual(['Sign in']);
  });
});
