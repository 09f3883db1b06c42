/** Who is signed in, and the ways in and out. Django serves what they lead to. */
import { useRef } from 'react';
import { useLocation } from 'wouter';

import type { Config } from '@liveai/client';
import { useAddress } from './address';
import { type Boot, signInUrl, signUpUrl } from './boot';

export interface WhoIsHereProps {
  config: Config;
  boot: Boot;
}

export function WhoIsHere({ config, boot }: WhoIsHereProps) {
  const [path] = useLocation();
  const address = useAddress();
  // The document was written at the first load; the session may have ended or begun since.
  if (config.user) {
    const { username } = config.user;
    return (
      <div className="rail-who">
        <b title={username}>{username}</b>
        {boot.accountUrl !== null && <a href={boot.accountUrl}>Account</a>}
        {boot.user === username && boot.isAdmin && <a href={address('/admin/')}>Admin</a>}
        {boot.logoutUrl !== null && <SignOut url={boot.logoutUrl} />}
      </div>
    );
  }
  const signIn = signInUrl(boot, address(path));
  const signUp = signUpUrl(boot, address(path));
  if (signIn === undefined) return null;
  return (
    <div className="rail-who">
      <a href={signIn}>Sign in</a>
      {signUp !== undefined && <a href={signUp}>Sign up</a>}
    </div>
  );
}

/** A form, because a link that signs out would do so from any site. */
function SignOut({ url }: { url: string }) {
  const token = useRef<HTMLInputElement>(null);
  const addToken = () => {
    if (token.current) token.current.value = csrfToken();
  };
  return (
    <form method="post" action={url} onSubmit={addToken}>
      <input ref={token} type="hidden" name="csrfmiddlewaretoken" />
      <button type="submit" className="button-link">
        Sign out
      </button>
    </form>
  );
}

/** Read when it is sent: a sign-in in another tab changes it. */
function csrfToken(): string {
  const found = document.cookie.split('; ').find((pair) => pair.startsWith('csrftoken='));
  return found?.slice('csrftoken='.length) ?? '';
}
