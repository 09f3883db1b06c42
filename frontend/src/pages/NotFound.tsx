import { Link } from 'wouter';

import { usePage } from './usePage';

/** Shown at an address that belongs to no page. */
export function NotFound() {
  usePage('Page not found');
  return (
    <div className="page-empty">
      <h1>Page not found</h1>
      <p>The address may be mistyped, or the page may be gone.</p>
      <WaysOn />
    </div>
  );
}

/** Links that lead away from an error page. */
export function WaysOn() {
  return (
    <p className="page-ways">
      <Link className="button button-strong" href="/">
        Ask something
      </Link>
      <Link className="button" href="/history">
        History
      </Link>
    </p>
  );
}
