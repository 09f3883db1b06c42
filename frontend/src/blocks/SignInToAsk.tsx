/** In place of the button that asks, where only people with an account may ask. */
import type { Ref } from 'react';
import { useSite } from './site';

export interface SignInToAskProps {
  id: string;
  /** The link that the field's Enter follows. */
  link: Ref<HTMLAnchorElement>;
}

/** The draft stays in the browser, and signing in leads back here. */
export function SignInToAsk({ id, link }: SignInToAskProps) {
  const { signInUrl, signUpUrl } = useSite();
  const signIn = signInUrl?.();
  const signUp = signUpUrl?.();
  return (
    <>
      {signIn === undefined ? (
        <p className="composer-ask">Sign in to ask.</p>
      ) : (
        <a ref={link} className="button button-main composer-ask" href={signIn}>
          Sign in to ask
        </a>
      )}
      <p id={id} className="composer-account">
        Your question is kept.{' '}
        {signUp !== undefined && (
          <>
            No account yet? <a href={signUp}>Sign up</a>
          </>
        )}
      </p>
    </>
  );
}
